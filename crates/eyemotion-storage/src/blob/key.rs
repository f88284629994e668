//! Names of objects: only ids, never a word of the user's. A key that points outside the store
//! cannot be expressed.

use eyemotion_core::{FileId, UserId};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Everything of one file: `o/{owner}/{file}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePrefix {
    /// Whose it is.
    pub owner: UserId,
    /// The file.
    pub file: FileId,
}

impl FilePrefix {
    /// The key of an original: `o/{owner}/{file}/{version}/original`.
    pub const fn original(self, version: Uuid) -> ObjectKey {
        ObjectKey {
            prefix: self,
            version,
            leaf: Leaf::Original,
        }
    }

    /// The key of something made from it: `o/{owner}/{file}/{version}/d/{kind}-{recipe}`.
    pub const fn derivative(self, version: Uuid, kind: DerivativeKind, recipe: u32) -> ObjectKey {
        ObjectKey {
            prefix: self,
            version,
            leaf: Leaf::Derivative(kind, recipe),
        }
    }
}

impl fmt::Display for FilePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "o/{}/{}", self.owner, self.file)
    }
}

/// What was made from an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivativeKind {
    /// A small picture.
    Thumbnail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    Original,
    /// The recipe's number changes when another picture would come out.
    Derivative(DerivativeKind, u32),
}

/// The key of one object. It is written once: what lies under it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectKey {
    prefix: FilePrefix,
    version: Uuid,
    leaf: Leaf,
}

impl ObjectKey {
    /// The file that it belongs to.
    pub const fn prefix(&self) -> &FilePrefix {
        &self.prefix
    }

    /// The file's version: the id of the upload that brought it.
    pub const fn version(&self) -> Uuid {
        self.version
    }

    /// What tells renditions of one version apart, for ETags.
    pub(crate) fn leaf_name(&self) -> String {
        match self.leaf {
            Leaf::Original => "original".to_owned(),
            Leaf::Derivative(DerivativeKind::Thumbnail, recipe) => {
                format!("thumbnail-{recipe:08x}")
            }
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = if self.leaf == Leaf::Original {
            ""
        } else {
            "d/"
        };
        write!(
            f,
            "{}/{}/{directory}{}",
            self.prefix,
            self.version,
            self.leaf_name()
        )
    }
}

/// Not a key of ours.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the key of an object")]
pub struct InvalidKey(String);

impl FromStr for ObjectKey {
    type Err = InvalidKey;

    /// Reads the stored form; only what [`fmt::Display`] writes is taken.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let invalid = || InvalidKey(text.to_owned());
        let mut parts = text.split('/');
        if parts.next() != Some("o") {
            return Err(invalid());
        }
        let mut id = || {
            parts
                .next()
                .and_then(|part| Uuid::parse_str(part).ok())
                .ok_or_else(invalid)
        };
        let prefix = FilePrefix {
            owner: UserId(id()?),
            file: FileId(id()?),
        };
        let version = id()?;
        let leaf = match (parts.next(), parts.next(), parts.next()) {
            (Some("original"), None, None) => Leaf::Original,
            (Some("d"), Some(name), None) => name
                .strip_prefix("thumbnail-")
                .and_then(|recipe| u32::from_str_radix(recipe, 16).ok())
                .map(|recipe| Leaf::Derivative(DerivativeKind::Thumbnail, recipe))
                .ok_or_else(invalid)?,
            _ => return Err(invalid()),
        };
        let key = Self {
            prefix,
            version,
            leaf,
        };
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(invalid())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text_and_nothing_else_is_taken() {
        let prefix = FilePrefix {
            owner: UserId(Uuid::now_v7()),
            file: FileId(Uuid::now_v7()),
        };
        let version = Uuid::now_v7();
        for key in [
            prefix.original(version),
            prefix.derivative(version, DerivativeKind::Thumbnail, 7),
        ] {
            assert_eq!(key.to_string().parse::<ObjectKey>().unwrap(), key);
        }
        let good = prefix.original(version).to_string();
        for bad in [
            "",
            "o/../../../original",
            "/etc/passwd",
            &good.replace("original", "../original"),
            &good.replace("o/", "x/"),
            &good.replace("original", "d/thumbnail-+1"),
            &good.replace("original", "d/thumbnail-1"),
            &format!("{good}/more"),
            &good.to_uppercase(),
        ] {
            assert!(bad.parse::<ObjectKey>().is_err(), "{bad}");
        }
    }
}
