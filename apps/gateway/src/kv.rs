//! The key-value store, its feature flags and the keys of programs, put together.

use eyemotion_admin::DatabaseActivityLog;
use eyemotion_auth::{ApiKeyKeeper, ApiKeys};
use eyemotion_core::{Clock, SystemClock};
use eyemotion_db::{Changes, ConnectError, DatabaseConfig, Db};
use eyemotion_jobs::Workers;
use eyemotion_kv::{FlagSettings, KeyValue, KvProbe, KvStore, SweepExpired, Sweeper};
use eyemotion_ports::{ActivityLog, Flags};
use std::sync::Arc;

/// What of the services belongs together here.
pub struct Programs {
    /// The key-value store.
    pub kv: Arc<dyn KeyValue>,
    /// Feature flags, for whoever changes them.
    pub flag_settings: Arc<dyn FlagSettings>,
    /// Feature flags, for whoever obeys them.
    pub flags: Arc<dyn Flags>,
    /// Keys with which programs call.
    pub api_keys: Arc<dyn ApiKeys>,
}

pub(crate) struct KvParts {
    store: Arc<KvStore>,
    api_keys: Arc<ApiKeyKeeper>,
}

impl KvParts {
    pub(crate) fn new(
        db: &Db,
        clock: &Arc<dyn Clock>,
        activity: &Arc<dyn ActivityLog>,
        changes: &Changes,
    ) -> Self {
        let (clock, activity) = (|| Arc::clone(clock), || Arc::clone(activity));
        Self {
            store: Arc::new(KvStore::new(db.clone(), clock(), activity(), changes)),
            api_keys: Arc::new(ApiKeyKeeper::new(db.clone(), clock(), activity(), changes)),
        }
    }

    pub(crate) fn probe(&self) -> KvProbe {
        KvProbe::new(Arc::clone(&self.store))
    }

    pub(crate) fn workers(&self, workers: Workers) -> Workers {
        let store: Arc<dyn KeyValue> = Arc::clone(&self.store) as _;
        workers
            .register::<SweepExpired>(Sweeper::new(store))
            .schedule("kv.sweep_expired", "* * * * *", &SweepExpired {})
    }

    pub(crate) fn services(self) -> Programs {
        Programs {
            kv: Arc::clone(&self.store) as _,
            flag_settings: Arc::clone(&self.store) as _,
            flags: self.store,
            api_keys: self.api_keys,
        }
    }
}

/// The key-value store alone, for commands.
///
/// # Errors
/// When the database's address is wrong.
pub fn kv(database: &DatabaseConfig) -> Result<KvStore, ConnectError> {
    let db = Db::new(database)?;
    let (clock, activity) = (Arc::new(SystemClock), Arc::new(DatabaseActivityLog));
    Ok(KvStore::new(db, clock, activity, &Changes::off()))
}
