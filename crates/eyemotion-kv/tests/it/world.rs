//! A store with a clock that can be moved, and the audit log played.

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use eyemotion_core::{Actor, Ctx, ManualClock, SessionId, UserId, UserRole};
use eyemotion_db::{Changes, Db, DbError, Tx};
use eyemotion_kv::{Entry, Expected, KeyValue, KvStore, NewEntry};
use eyemotion_ports::{Activity, ActivityLog};
use eyemotion_testkit::TestDatabase;
use serde_json::Value;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// Longer than anything here takes on the slowest machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Default)]
pub struct Log(pub Mutex<Vec<Activity>>);

#[async_trait]
impl ActivityLog for Log {
    async fn record(&self, _: &mut Tx, _: &Ctx, activity: Activity) -> Result<(), DbError> {
        self.0.lock().unwrap().push(activity);
        Ok(())
    }
}

pub struct World {
    pub store: KvStore,
    pub clock: Arc<ManualClock>,
    pub log: Arc<Log>,
    pub database: TestDatabase,
}

impl World {
    /// Without a cache.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await;
        let clock = Arc::new(ManualClock::at(Utc::now()));
        let log = Arc::new(Log::default());
        let db = Db::new(&database.config()).unwrap();
        let store = KvStore::new(db, clock.clone(), log.clone(), &Changes::off());
        Self {
            store,
            clock,
            log,
            database,
        }
    }

    /// Another process with a cache, on the same database and by the same clock.
    pub fn replica(&self) -> KvStore {
        let db = Db::new(&self.database.config()).unwrap();
        let changes = db.changes();
        KvStore::new(db, self.clock.clone(), self.log.clone(), &changes)
    }

    pub async fn set(&self, key: &str, value: Value) -> Entry {
        self.store
            .set(system(), NS, new(key, value), Expected::Anything)
            .await
            .unwrap()
    }

    pub async fn get(&self, key: &str) -> Option<Entry> {
        let found = self.store.get(system(), NS, key).await.unwrap();
        found.map(|entry| (*entry).clone())
    }
}

/// The namespace of these tests.
pub const NS: &str = "tests";

pub fn system() -> &'static Ctx {
    static SYSTEM: LazyLock<Ctx> = LazyLock::new(|| Ctx::system("tests"));
    &SYSTEM
}

pub fn new(key: &str, value: Value) -> NewEntry {
    NewEntry {
        key: key.to_owned(),
        value,
        ttl: None,
    }
}

pub fn lasting(key: &str, value: Value, seconds: i64) -> NewEntry {
    NewEntry {
        ttl: Some(TimeDelta::seconds(seconds)),
        ..new(key, value)
    }
}

pub fn person(role: UserRole) -> Ctx {
    let actor = Actor::User {
        id: UserId(Uuid::now_v7()),
        session: SessionId(Uuid::now_v7()),
        role,
    };
    system().with_actor(actor)
}
