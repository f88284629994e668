//! Which release's `migrations/sql` a database holds: the comment of its schema `auth`.

use crate::schema_files::REPLACEABLE;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

/// A release and the digest of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    release: Vec<u64>,
    digest: String,
}

impl Stamp {
    pub(crate) const READ: &str =
        "SELECT obj_description(to_regnamespace('auth')::oid, 'pg_namespace')";

    pub(crate) fn ours() -> Self {
        let all: String = REPLACEABLE.iter().map(|(_, sql)| *sql).collect();
        Self {
            release: release(env!("CARGO_PKG_VERSION")),
            digest: HEXLOWER.encode(digest(&SHA256, all.as_bytes()).as_ref()),
        }
    }

    pub(crate) fn parse(comment: &str) -> Option<Self> {
        let (version, digest) = comment.strip_prefix("eyemotion ")?.split_once(' ')?;
        Some(Self {
            release: release(version),
            digest: digest.to_owned(),
        })
    }

    /// Replicas of two releases that start in turns must not undo each other's work.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        self.release > other.release
    }

    pub(crate) fn write(&self) -> String {
        let release: Vec<String> = self.release.iter().map(u64::to_string).collect();
        let (release, digest) = (release.join("."), &self.digest);
        format!("COMMENT ON SCHEMA auth IS 'eyemotion {release} {digest}'")
    }
}

/// Its three numbers; a pre-release counts as its release.
fn release(version: &str) -> Vec<u64> {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    numbers
        .split('.')
        .map_while(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        let stamp = |version: &str| Stamp::parse(&format!("eyemotion {version} abc")).unwrap();
        assert!(stamp("0.10.0").is_newer_than(&stamp("0.9.3")));
        assert!(stamp("1.0.0").is_newer_than(&stamp("0.9.3")));
        assert!(!stamp("0.9.3").is_newer_than(&stamp("0.9.3-rc.1")));
        assert_eq!(Stamp::parse("somebody else's comment"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let ours = Stamp::ours();
        let sql = ours.write();
        let comment = sql.split('\'').nth(1).unwrap();
        assert_eq!(Stamp::parse(comment), Some(ours));
    }
}
