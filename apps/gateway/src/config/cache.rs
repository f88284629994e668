//! `[cache]`: what is read often, in memory.

use serde::{Deserialize, Serialize};

/// The `[cache]` section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CacheSettings {
    /// Whether sessions, accounts, flags and keys are kept in memory until PostgreSQL tells of their change. It
    /// needs a connection that may LISTEN, which a pooler in transaction mode does not give.
    pub enabled: bool,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}
