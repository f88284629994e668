use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Where entries live unless somebody says otherwise.
pub const DEFAULT_NAMESPACE: &str = "default";

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// 1 to 512 characters.
    pub key: String,
    /// At most 1 MiB of JSON.
    pub value: Value,
    /// Grows with every change and is never used twice for a key, also when it was deleted in
    /// between.
    pub version: i64,
    /// From then on the entry is not there; none: it stays.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Entry {
    /// Whether it is still there at this moment.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|expiry| expiry > now)
    }
}

/// An entry to be stored.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// 1 to 512 characters.
    pub key: String,
    /// At most 1 MiB of JSON, without U+0000.
    pub value: Value,
    /// How long it lives, more than nothing; none: until it is deleted.
    pub ttl: Option<TimeDelta>,
}

/// Under which condition an entry is stored or deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// None.
    #[default]
    Anything,
    /// There is no live entry.
    Absent,
    /// There is a live entry of any version.
    Present,
    /// There is a live entry of this version.
    Version(i64),
}

/// A piece of a namespace, in the order of the keys' code points.
#[derive(Clone, Debug)]
pub struct EntryPage {
    /// At most as many as asked for.
    pub entries: Vec<Entry>,
    /// The key after which the next page starts; none on the last.
    pub next: Option<String>,
}
