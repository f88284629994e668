//! Files and their states.

use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, FileId, ProjectId, UserId};
pub use eyemotion_media::{MediaKind, Rational};
use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! named {
    (
        $(#[$doc:meta])* $type:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $type { $($(#[$variant_doc])* $variant,)* }

        impl $type {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the database and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The one with this name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named! {
    /// Where a file stands, `project_files.processing_status`.
    FileStatus {
        /// Announced; quota is reserved and nothing has arrived.
        Pending = "pending",
        /// Bytes are arriving.
        Uploading = "uploading",
        /// All bytes are here; the client has not confirmed.
        Uploaded = "uploaded",
        /// Confirmed and paid; the bytes are being looked at.
        Verifying = "verifying",
        /// The bytes are what was declared. From here on the file may be downloaded.
        Verified = "verified",
        /// Being probed, thumbnails being made.
        Processing = "processing",
        /// Done.
        Ready = "ready",
        /// Processing gave up; the original stays.
        Failed = "failed",
        /// The bytes are not what was declared. Never served.
        Rejected = "rejected",
        /// Held back as dangerous. Never served.
        Quarantined = "quarantined",
        /// Not uploaded or not confirmed in time.
        Expired = "expired",
        /// In the trash; can be restored.
        Trashed = "trashed",
        /// A tombstone: invisible, its object is being deleted.
        Purged = "purged",
    }
}

impl FileStatus {
    /// The states that may follow. The database keeps the same table
    /// (`public.file_status_successors`) and refuses everything else.
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Uploading, Self::Uploaded, Self::Expired, Self::Purged],
            Self::Uploading => &[Self::Pending, Self::Uploaded, Self::Expired, Self::Purged],
            Self::Uploaded => &[Self::Verifying, Self::Expired, Self::Purged],
            Self::Verifying => &[
                Self::Verified,
                Self::Rejected,
                Self::Quarantined,
                Self::Failed,
                Self::Purged,
            ],
            Self::Verified | Self::Ready => &[Self::Processing, Self::Trashed, Self::Purged],
            Self::Processing => &[
                Self::Ready,
                Self::Failed,
                Self::Verified,
                Self::Rejected,
                Self::Purged,
            ],
            Self::Failed => &[
                Self::Processing,
                Self::Verifying,
                Self::Trashed,
                Self::Purged,
            ],
            Self::Rejected | Self::Quarantined | Self::Expired => &[Self::Purged],
            Self::Trashed => &[Self::Ready, Self::Verified, Self::Failed, Self::Purged],
            Self::Purged => &[],
        }
    }

    /// Whether processing goes no further from here by itself.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Ready
                | Self::Failed
                | Self::Rejected
                | Self::Quarantined
                | Self::Expired
                | Self::Trashed
                | Self::Purged
        )
    }

    /// Whether the original may be served. A failed file has to prove that it was verified.
    pub const fn is_served(self) -> bool {
        matches!(self, Self::Verified | Self::Processing | Self::Ready)
    }
}

named! {
    /// Whether a file has a thumbnail.
    ThumbnailStatus {
        /// Not made yet.
        None = "none",
        /// There is one.
        Ready = "ready",
        /// Cannot be made: no picture in the file, or no ffmpeg on this machine.
        Unavailable = "unavailable",
        /// Making it went wrong.
        Failed = "failed",
    }
}

named! {
    /// Which form of a file is wanted.
    Rendition {
        /// The bytes as they were uploaded.
        Original = "original",
        /// The small picture.
        Thumbnail = "thumbnail",
    }
}

named! {
    /// What a browser is to do with a download (RFC 6266).
    Disposition {
        /// Show it. Types that could carry scripts are attachments all the same.
        Inline = "inline",
        /// Save it.
        Attachment = "attachment",
    }
}

/// A media file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// The project it is in.
    pub project: ProjectId,
    /// Whose it is: the project's owner.
    pub owner: UserId,
    /// The shown name.
    pub name: String,
    /// The name it was uploaded under.
    pub original_name: String,
    /// Video, audio, image or data.
    pub kind: MediaKind,
    /// MIME type as declared; verified once [`FileStatus::is_served`].
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Of the content, once it has arrived.
    pub sha256: Option<[u8; 32]>,
    /// Where it stands.
    pub status: FileStatus,
    /// Why it is failed, rejected or quarantined.
    pub error: Option<String>,
    /// Of the processing, percent.
    pub progress: u8,
    /// Whether there is a thumbnail.
    pub thumbnail: ThumbnailStatus,
    /// Playing time in microseconds.
    pub duration_us: Option<i64>,
    /// Pixels of the picture as stored: `media` says by how much a player turns it.
    pub width: Option<i32>,
    /// Pixels of the picture as stored.
    pub height: Option<i32>,
    /// Frames a second, exact.
    pub frame_rate: Option<Rational>,
    /// Of the main track.
    pub codec: Option<String>,
    /// Bits a second.
    pub bit_rate: Option<i64>,
    /// Everything that probing found: container, tracks.
    pub media: Value,
    /// What it costs or did cost.
    pub credits_cost: Credits,
    /// Until when it can be uploaded, or confirmed once uploaded.
    pub upload_expires_at: Option<DateTime<Utc>>,
    /// When it was confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it went to the trash.
    pub trashed_at: Option<DateTime<Utc>>,
    /// Further facts, an object.
    pub metadata: Value,
    /// Labels.
    pub tags: Vec<String>,
    /// Never deleted by the lifecycle.
    pub is_favorite: bool,
    /// Grows with every change: the ETag.
    pub version: i64,
    /// When the upload was asked for.
    pub created_at: DateTime<Utc>,
    /// When anything last changed.
    pub updated_at: DateTime<Utc>,
}

/// How far a file's processing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file.
    pub file: FileId,
    /// Where it stands.
    pub status: FileStatus,
    /// Percent.
    pub progress: u8,
    /// Why it is failed, rejected or quarantined.
    pub error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_everywhere() {
        for status in FileStatus::ALL {
            assert_eq!(FileStatus::parse(status.as_str()), Some(*status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn every_state_leads_to_the_tombstone_and_nothing_leads_away() {
        for status in FileStatus::ALL {
            let purgeable = status.successors().contains(&FileStatus::Purged);
            assert_eq!(purgeable, *status != FileStatus::Purged, "{status:?}");
            assert!(!status.successors().contains(status), "{status:?}");
        }
    }
}
