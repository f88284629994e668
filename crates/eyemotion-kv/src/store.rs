use crate::error::KvError;
use crate::flags::{self, FlagSet};
use crate::model::{Entry, EntryPage, Expected, NewEntry};
use crate::repository::kv_store::{self, NewEntryRow};
use crate::service::KeyValue;
use crate::validation::{self, MAX_KEYS};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Clock, Ctx};
use eyemotion_db::{Changes, ConstraintKind, Db, DbError, HotCache, HotCacheConfig, Tx};
use eyemotion_ports::{Activity, ActivityLog};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The most entries of a page.
const MAX_PAGE: i64 = 1000;
/// Larger values are read from the database each time: the cache counts entries, not bytes.
const MAX_KEPT_BYTES: usize = 4096;
const KEPT: u64 = 4096;
/// How many entries one statement of the sweep deletes.
const SWEEP: i64 = 1000;

/// What a program of the platform itself calls itself when a person runs it; its writes are
/// audited as a person's are.
pub const COMMAND_LINE: &str = "cli";

/// Namespace and key.
type Place = (String, String);

/// What the cache knows of a place.
#[derive(Clone)]
enum Kept {
    Nothing,
    Entry(Arc<Entry>),
    Large,
}

/// [`KeyValue`] over PostgreSQL.
pub struct KvStore {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) activity: Arc<dyn ActivityLog>,
    cache: HotCache<Place, Kept>,
    pub(crate) flags: HotCache<(), Arc<FlagSet>>,
    /// For when the database says nothing.
    pub(crate) last_flags: RwLock<Arc<FlagSet>>,
}

impl KvStore {
    /// In `db`, by the time of `clock`. What is read one by one is kept in memory as long as
    /// `changes` tell when to forget it.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        activity: Arc<dyn ActivityLog>,
        changes: &Changes,
    ) -> Self {
        let config = HotCacheConfig {
            capacity: KEPT,
            ..HotCacheConfig::default()
        };
        let place = |change: &str| serde_json::from_str::<Place>(change).ok();
        Self {
            db,
            clock,
            activity,
            cache: HotCache::new(changes, "kv", config, place),
            flags: HotCache::new(changes, "flags", HotCacheConfig::default(), |_| Some(())),
            last_flags: RwLock::default(),
        }
    }

    pub(crate) async fn find(&self, namespace: &str, key: &str) -> Result<Option<Entry>, DbError> {
        let mut tx = self.db.read(&platform()).await?;
        Ok(kv_store::find(&mut tx, namespace, key, self.clock.now()).await?)
    }

    async fn load(&self, namespace: &str, key: &str) -> Result<Kept, DbError> {
        Ok(match self.find(namespace, key).await? {
            None => Kept::Nothing,
            Some(entry) if is_large(&entry.value) => Kept::Large,
            Some(entry) => Kept::Entry(Arc::new(entry)),
        })
    }

    /// A transaction of the platform: the store belongs to nobody, so nobody's own rights reach it.
    pub(crate) async fn begin(&self, ctx: &Ctx) -> Result<Tx, DbError> {
        self.db.begin(&ctx.with_actor(Actor::System("kv"))).await
    }

    /// One line for each change that a person or a program from outside makes.
    pub(crate) async fn audit(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        action: &'static str,
        id: &str,
        details: Value,
    ) -> Result<(), DbError> {
        let ours = matches!(ctx.actor, Actor::System(part) if part != COMMAND_LINE);
        if ours {
            return Ok(());
        }
        let activity = Activity::new(action, "kv", id).with(details);
        self.activity.record(tx, ctx, activity).await
    }

    pub(crate) async fn put(
        tx: &mut Tx,
        row: &NewEntryRow<'_>,
        expected: Expected,
        now: DateTime<Utc>,
    ) -> Result<Entry, KvError> {
        let stored = match expected {
            Expected::Anything => {
                let rows = kv_store::upsert(tx, std::slice::from_ref(row)).await;
                rows.map(|rows| rows.into_iter().next())
            }
            Expected::Absent => kv_store::insert(tx, row, now).await,
            Expected::Present => kv_store::update(tx, row, None, now).await,
            Expected::Version(version) => kv_store::update(tx, row, Some(version), now).await,
        };
        match stored.map_err(|error| refused("/value", error))? {
            Some(entry) => Ok(entry),
            None => Err(mismatch(tx, row.namespace, row.key, now).await?),
        }
    }
}

/// The platform acting for itself, to read.
pub(crate) fn platform() -> Ctx {
    Ctx::system("kv")
}

/// The platform, its operators and programs with a key.
pub(crate) const fn admit(ctx: &Ctx) -> Result<(), KvError> {
    match ctx.actor {
        Actor::System(_) | Actor::ApiKey { .. } => Ok(()),
        Actor::User { role, .. } if role.is_admin() => Ok(()),
        Actor::User { .. } => Err(KvError::Forbidden),
        Actor::Anonymous => Err(KvError::Unauthenticated),
    }
}

fn is_large(value: &Value) -> bool {
    serde_json::to_vec(value).map_or(true, |bytes| bytes.len() > MAX_KEPT_BYTES)
}

async fn mismatch(
    tx: &mut Tx,
    namespace: &str,
    key: &str,
    now: DateTime<Utc>,
) -> Result<KvError, DbError> {
    let there = kv_store::find(tx, namespace, key, now).await?;
    Ok(KvError::VersionMismatch {
        current: there.map(|entry| entry.version),
    })
}

/// PostgreSQL writes JSON with spaces and numbers in full, so its limit may be reached first.
fn refused(pointer: &str, error: impl Into<DbError>) -> KvError {
    match error.into() {
        DbError::Constraint {
            kind: ConstraintKind::Check,
            name,
        } if name == "kv_store_value_check" => validation::too_large(pointer),
        error => error.into(),
    }
}

fn row<'a>(namespace: &'a str, new: &'a NewEntry, now: DateTime<Utc>) -> NewEntryRow<'a> {
    NewEntryRow {
        namespace,
        key: &new.key,
        value: &new.value,
        expires_at: new.ttl.and_then(|ttl| now.checked_add_signed(ttl)),
    }
}

#[async_trait]
impl KeyValue for KvStore {
    async fn get(
        &self,
        ctx: &Ctx,
        namespace: &str,
        key: &str,
    ) -> Result<Option<Arc<Entry>>, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::key("key", key)?;
        let place = (namespace.to_owned(), key.to_owned());
        // Boxed when it is run: most answers come from memory.
        let load = async { Box::pin(self.load(namespace, key)).await };
        let kept = self.cache.get(&place, load).await?;
        Ok(match kept {
            Kept::Nothing => None,
            // Kept before its time was over.
            Kept::Entry(entry) => Some(entry).filter(|entry| entry.is_live(self.clock.now())),
            Kept::Large => self.find(namespace, key).await?.map(Arc::new),
        })
    }

    async fn set(
        &self,
        ctx: &Ctx,
        namespace: &str,
        entry: NewEntry,
        expected: Expected,
    ) -> Result<Entry, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::key("key", &entry.key)?;
        validation::entry("", &entry)?;
        flags::check(namespace, &entry)?;
        let now = self.clock.now();
        let mut tx = self.begin(ctx).await?;
        let stored = Self::put(&mut tx, &row(namespace, &entry, now), expected, now).await?;
        let id = format!("{namespace}/{}", entry.key);
        let details = json!({ "version": stored.version, "expiresAt": stored.expires_at });
        self.audit(&mut tx, ctx, "kv.set", &id, details).await?;
        tx.commit().await?;
        Ok(stored)
    }

    async fn del(
        &self,
        ctx: &Ctx,
        namespace: &str,
        key: &str,
        expected: Expected,
    ) -> Result<bool, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::key("key", key)?;
        let now = self.clock.now();
        let mut tx = self.begin(ctx).await?;
        let keys = [key.to_owned()];
        let deleted = kv_store::delete(&mut tx, namespace, &keys, expected, now)
            .await
            .map_err(DbError::from)?;
        if deleted == 0 {
            return match expected {
                Expected::Anything => Ok(false),
                _ => Err(mismatch(&mut tx, namespace, key, now).await?),
            };
        }
        let id = format!("{namespace}/{key}");
        self.audit(&mut tx, ctx, "kv.deleted", &id, json!({}))
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn mget(
        &self,
        ctx: &Ctx,
        namespace: &str,
        keys: &[String],
    ) -> Result<Vec<Option<Entry>>, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::keys(keys)?;
        let mut tx = self.db.read(&platform()).await?;
        let found = kv_store::find_many(&mut tx, namespace, keys, self.clock.now())
            .await
            .map_err(DbError::from)?;
        let by_key: HashMap<&str, &Entry> = found
            .iter()
            .map(|entry| (entry.key.as_str(), entry))
            .collect();
        Ok(keys
            .iter()
            .map(|key| by_key.get(key.as_str()).map(|entry| (*entry).clone()))
            .collect())
    }

    async fn mset(
        &self,
        ctx: &Ctx,
        namespace: &str,
        entries: Vec<NewEntry>,
    ) -> Result<Vec<Entry>, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::entries(&entries)?;
        entries
            .iter()
            .try_for_each(|entry| flags::check(namespace, entry))?;
        let now = self.clock.now();
        let mut rows: Vec<_> = entries
            .iter()
            .map(|entry| row(namespace, entry, now))
            .collect();
        // Two at once lock their rows in the same order.
        rows.sort_unstable_by_key(|row| row.key);
        let mut tx = self.begin(ctx).await?;
        let stored = kv_store::upsert(&mut tx, &rows)
            .await
            .map_err(|error| refused("/entries", error))?;
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let details = json!({ "keys": keys });
        self.audit(&mut tx, ctx, "kv.set_many", namespace, details)
            .await?;
        tx.commit().await?;
        let mut by_key: HashMap<String, Entry> = stored
            .into_iter()
            .map(|entry| (entry.key.clone(), entry))
            .collect();
        Ok(entries
            .iter()
            .filter_map(|entry| by_key.remove(&entry.key))
            .collect())
    }

    async fn mdel(&self, ctx: &Ctx, namespace: &str, keys: &[String]) -> Result<usize, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::keys(keys)?;
        let now = self.clock.now();
        let mut tx = self.begin(ctx).await?;
        let deleted = kv_store::delete(&mut tx, namespace, keys, Expected::Anything, now)
            .await
            .map_err(DbError::from)?;
        if deleted > 0 {
            let details = json!({ "keys": keys, "deleted": deleted });
            self.audit(&mut tx, ctx, "kv.deleted_many", namespace, details)
                .await?;
        }
        tx.commit().await?;
        Ok(deleted)
    }

    async fn get_by_prefix(
        &self,
        ctx: &Ctx,
        namespace: &str,
        prefix: &str,
        limit: i64,
        after: Option<&str>,
    ) -> Result<EntryPage, KvError> {
        admit(ctx)?;
        validation::namespace(namespace)?;
        validation::prefix(prefix)?;
        if let Some(after) = after {
            validation::key("cursor", after)?;
        }
        if !(1..=MAX_PAGE).contains(&limit) {
            let detail = format!("must be from 1 to {MAX_PAGE}");
            return Err(KvError::invalid("limit", "out_of_range", detail));
        }
        let now = self.clock.now();
        let mut tx = self.db.read(&platform()).await?;
        let mut entries =
            kv_store::find_by_prefix(&mut tx, namespace, prefix, after, limit + 1, now)
                .await
                .map_err(DbError::from)?;
        let limit = usize::try_from(limit).unwrap_or(MAX_KEYS);
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|entry| entry.key.clone());
        Ok(EntryPage { entries, next })
    }

    async fn sweep(&self, ctx: &Ctx) -> Result<usize, KvError> {
        if !matches!(ctx.actor, Actor::System(_)) {
            return Err(KvError::Forbidden);
        }
        let now = self.clock.now();
        let mut swept = 0;
        loop {
            let mut tx = self.begin(ctx).await?;
            let some = kv_store::sweep(&mut tx, now, SWEEP)
                .await
                .map_err(DbError::from)?;
            tx.commit().await?;
            swept += some;
            if some < usize::try_from(SWEEP).unwrap_or_default() {
                return Ok(swept);
            }
        }
    }
}

impl KvStore {
    pub(crate) fn last_flags(&self) -> Arc<FlagSet> {
        let last = self
            .last_flags
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&last)
    }
}
