use crate::gate::{PersonStanding, SessionStanding};
use crate::model::AccountOverview;
use chrono::{DateTime, Utc};
use eyemotion_core::{SessionId, UserId};
use eyemotion_db::{Changes, HotCache, HotCacheConfig};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// What almost every request asks, in memory. `migrations/sql/26_hot_reads.sql` announces changes.
pub(crate) struct HotReads {
    pub(crate) sessions: HotCache<SessionId, SessionStanding>,
    pub(crate) people: HotCache<UserId, PersonStanding>,
    pub(crate) accounts: HotCache<UserId, Arc<HotAccount>>,
}

/// An account as it was read.
pub(crate) struct HotAccount {
    pub(crate) overview: AccountOverview,
    /// When credits in it expire, which nobody announces; none: never.
    pub(crate) changes_at: Option<DateTime<Utc>>,
}

impl HotAccount {
    /// Whether time alone has made it another one.
    pub(crate) fn has_changed(&self, now: DateTime<Utc>) -> bool {
        self.changes_at.is_some_and(|at| at <= now)
    }
}

/// A few hundred bytes each.
const SMALL: HotCacheConfig = HotCacheConfig {
    capacity: 50_000,
    ttl: Duration::from_secs(30),
};
/// A profile's preferences may have 64 KiB. Spent credits are not announced to other processes.
const LARGE: HotCacheConfig = HotCacheConfig {
    capacity: 5_000,
    ttl: Duration::from_millis(900),
};

impl HotReads {
    pub(crate) fn off() -> Self {
        Self::new(&Changes::off())
    }

    pub(crate) fn new(changes: &Changes) -> Self {
        Self {
            sessions: HotCache::new(changes, "sessions", SMALL, parse),
            people: HotCache::new(changes, "people", SMALL, parse),
            accounts: HotCache::new(changes, "accounts", LARGE, parse),
        }
    }
}

fn parse<K: FromStr>(key: &str) -> Option<K> {
    key.parse().ok()
}
