use chrono::{DateTime, Utc};
use eyemotion_core::{Cursor, ProjectId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

macro_rules! names {
    ($(#[$doc:meta])* $type:ident, $what:literal: $($(#[$each:meta])* $variant:ident = $name:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $type { $($(#[$each])* $variant,)* }

        impl $type {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the database and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl FromStr for $type {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(UnknownName { what: $what, known: &[$($name),*] }),
                }
            }
        }
    };
}

names! {
    /// What sort of film a project is.
    ProjectType, "type":
    /// A feature film.
    FeatureFilm = "feature_film",
    /// A short film.
    ShortFilm = "short_film",
    /// A commercial.
    Commercial = "commercial",
    /// A music video.
    MusicVideo = "music_video",
    /// A documentary.
    Documentary = "documentary",
    /// Made for social media.
    SocialMedia = "social_media",
    /// None of these.
    Other = "other",
}

names! {
    /// How far a project is. Filmmakers go back and forth, so any status may follow any other.
    ProjectStatus, "status":
    /// Just an idea.
    Draft = "draft",
    /// Being worked on.
    InProgress = "in_progress",
    /// Being looked at.
    Review = "review",
    /// Done.
    Completed = "completed",
    /// Put away.
    Archived = "archived",
}

/// A text that names no [`ProjectType`] or [`ProjectStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", .known.join(", "))]
pub struct UnknownName {
    /// The member: `type` or `status`.
    pub(crate) what: &'static str,
    known: &'static [&'static str],
}

/// A film project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub owner: UserId,
    /// 1 to 200 characters.
    pub name: String,
    /// At most 10000 characters, often none.
    pub description: String,
    /// What sort of film it is.
    pub kind: ProjectType,
    /// How far it is.
    pub status: ProjectStatus,
    /// The client's own.
    pub settings: Map<String, Value>,
    /// The client's own.
    pub collaboration_settings: Map<String, Value>,
    /// An http or https address.
    pub thumbnail_url: Option<String>,
    /// Confirmed files that are neither trashed nor rejected.
    pub file_count: i32,
    /// Their duration together, microseconds.
    pub total_duration_us: i64,
    /// How often it was exported.
    pub export_count: i32,
    /// When somebody last worked on it.
    pub last_opened_at: Option<DateTime<Utc>>,
    /// Grows with every change, its counters' included: the strong ETag.
    pub version: i64,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Project {
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            created_at: self.created_at,
            id: self.id.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_text_and_serde_and_others_are_refused_with_the_list() {
        for kind in ProjectType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for status in ProjectStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        let error = "Draft".parse::<ProjectStatus>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "must be one of draft, in_progress, review, completed, archived"
        );
    }
}
