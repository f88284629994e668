//! `[data]`, `[database]` and `[pg]`: where things are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;
use super::problem::Problems;

/// The `[data]` section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DataSettings {
    /// Folder of everything this server keeps itself: the local PostgreSQL, local objects, signing keys.
    pub dir: PathBuf,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("eyemotion-data"),
        }
    }
}

/// The `[database]` section. Times are seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseSettings {
    /// `postgres://` URL, or `key=value` pairs as in libpq, of PostgreSQL 15 to 18. Absent: a local one is
    /// started in the data folder.
    pub url: Option<Secret>,
    /// Connections at most, for each database role that the server uses.
    pub pool_size: usize,
    /// How long a request waits for a free connection before it is answered 503.
    pub acquire_timeout_secs: u64,
    /// Longest a single statement of a request may run.
    pub statement_timeout_secs: u64,
    /// Longest a statement may wait for a lock.
    pub lock_timeout_secs: u64,
    /// Whether pending migrations are applied at start.
    pub migrate: bool,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            url: None,
            pool_size: 10,
            acquire_timeout_secs: 5,
            statement_timeout_secs: 15,
            lock_timeout_secs: 5,
            migrate: true,
        }
    }
}

impl DatabaseSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        let postgres = |url: &Secret| {
            let url = url.expose();
            ["postgres://", "postgresql://"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
                || url.split_whitespace().any(|pair| pair.starts_with("host="))
        };
        problems.require(
            self.url.as_ref().is_none_or(postgres),
            "database.url",
            "must start with postgres:// or postgresql://, or be key=value pairs with a host",
        );
        problems.require(
            (1..=1000).contains(&self.pool_size),
            "database.pool_size",
            "must be from 1 to 1000",
        );
        for (key, seconds) in [
            ("database.acquire_timeout_secs", self.acquire_timeout_secs),
            (
                "database.statement_timeout_secs",
                self.statement_timeout_secs,
            ),
            ("database.lock_timeout_secs", self.lock_timeout_secs),
        ] {
            problems.require(
                (1..=3600).contains(&seconds),
                key,
                "must be from 1 to 3600 seconds",
            );
        }
    }
}

/// The `[pg]` section: PostgreSQL's programs, for the local database.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PgSettings {
    /// Folder that holds `initdb` and `postgres`. Absent: the usual places are searched.
    pub bin: Option<PathBuf>,
}
