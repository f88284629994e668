use crate::ledger::Lot;
use crate::model::SubscriptionOverview;
use chrono::{DateTime, Utc};
use eyemotion_core::UserId;
use eyemotion_db::{Changes, HotCache, HotCacheConfig};
use std::sync::Arc;
use std::time::Duration;

/// What clients ask on almost every page, in memory. `migrations/sql/26_hot_reads.sql` announces
/// changes.
pub(crate) struct HotReads {
    /// Everybody's open lots. Those whose time is over are left out at each use.
    pub(crate) lots: HotCache<UserId, Arc<[Lot]>>,
    pub(crate) subscriptions: HotCache<UserId, Arc<HotSubscription>>,
}

/// A live subscription as it was read.
pub(crate) struct HotSubscription {
    /// None between two of them.
    pub(crate) overview: Option<SubscriptionOverview>,
    /// When credits in it expire, which nobody announces; none: never.
    pub(crate) changes_at: Option<DateTime<Utc>>,
}

impl HotSubscription {
    /// Whether time alone has made it another one.
    pub(crate) fn has_changed(&self, now: DateTime<Utc>) -> bool {
        self.changes_at.is_some_and(|at| at <= now)
    }
}

impl HotReads {
    pub(crate) fn new(changes: &Changes) -> Self {
        // Spent credits are not announced to other processes.
        let config = HotCacheConfig {
            ttl: Duration::from_millis(900),
            ..HotCacheConfig::default()
        };
        let key_of = |key: &str| key.parse().ok();
        Self {
            lots: HotCache::new(changes, "accounts", config, key_of),
            subscriptions: HotCache::new(changes, "accounts", config, key_of),
        }
    }
}
