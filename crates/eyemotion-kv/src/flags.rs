//! Feature flags: the entry `features:flags`, read, written and evaluated.

use crate::error::KvError;
use crate::model::{DEFAULT_NAMESPACE, Entry, Expected, NewEntry};
use crate::repository::kv_store::{self, NewEntryRow};
use crate::rules;
use crate::service::FlagSettings;
use crate::store::{KvStore, admit};
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::DbError;
use eyemotion_ports::{Flag, FlagRule, FlagSubject, Flags};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// The key under which the flags are stored, in the default namespace.
pub const FLAGS_KEY: &str = "features:flags";
/// How often a change is made anew when somebody else was faster.
const ATTEMPTS: usize = 8;
/// How long a request waits to learn of the flags.
const PATIENCE: Duration = Duration::from_secs(1);

/// Every flag; one that is not listed is on for everybody.
#[derive(Debug, Default)]
pub(crate) struct FlagSet(BTreeMap<Flag, Arc<FlagRule>>);

impl FlagSet {
    fn rule(&self, flag: Flag) -> Arc<FlagRule> {
        self.0.get(&flag).cloned().unwrap_or_default()
    }

    /// What is stored is believed as far as it can be read: somebody may have written it in SQL.
    fn read(stored: Option<&Entry>) -> Self {
        let members = stored.and_then(|entry| entry.value.as_object());
        let mut rules = BTreeMap::new();
        for (name, value) in members.into_iter().flatten() {
            if let (Some(flag), Ok(rule)) = (Flag::parse(name), rules::parse("", value)) {
                rules.insert(flag, Arc::new(rule));
            } else {
                tracing::warn!(flag = name, "a stored feature flag cannot be read");
            }
        }
        Self(rules)
    }

    fn all(&self) -> BTreeMap<Flag, FlagRule> {
        let rule = |flag| (flag, FlagRule::clone(&self.rule(flag)));
        Flag::ALL.into_iter().map(rule).collect()
    }
}

/// Refuses what is no set of flags where flags are stored, whichever way it is written.
pub(crate) fn check(namespace: &str, entry: &NewEntry) -> Result<(), KvError> {
    if namespace != DEFAULT_NAMESPACE || entry.key != FLAGS_KEY {
        return Ok(());
    }
    if let Some(members) = entry.value.as_object() {
        changes(members, "/value")
    } else {
        let detail = "must be an object of flags";
        Err(KvError::invalid("/value", "wrong_type", detail))
    }
}

/// Every member names a flag and is a rule.
fn changes(members: &Map<String, Value>, pointer: &str) -> Result<(), KvError> {
    for (name, value) in members {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{pointer}/{escaped}");
        if Flag::parse(name).is_none() {
            let known = Flag::ALL.map(Flag::as_str).join(", ");
            let detail = format!("there is no such flag; there are {known}");
            return Err(KvError::invalid(&pointer, "unknown_field", detail));
        }
        rules::parse(&pointer, value)?;
    }
    Ok(())
}

impl KvStore {
    async fn load_flags(&self) -> Result<Arc<FlagSet>, DbError> {
        let stored = self.find(DEFAULT_NAMESPACE, FLAGS_KEY).await?;
        let flags = Arc::new(FlagSet::read(stored.as_ref()));
        let mut last = self
            .last_flags
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Arc::clone(&flags);
        Ok(flags)
    }

    /// From memory; when the database does not say, what it said last.
    async fn present_flags(&self) -> Arc<FlagSet> {
        // Boxed when it is run, which is seldom: every request passes here.
        let load = async { Box::pin(self.load_flags()).await };
        match tokio::time::timeout(PATIENCE, self.flags.get(&(), load)).await {
            Ok(Ok(flags)) => flags,
            Ok(Err(error)) => {
                tracing::warn!(%error, "feature flags cannot be read; the last known ones count");
                self.last_flags()
            }
            Err(_elapsed) => {
                tracing::warn!("feature flags are not read in time; the last known ones count");
                self.last_flags()
            }
        }
    }

    /// One attempt at changing the flags; fails with [`KvError::VersionMismatch`] when somebody
    /// else was faster.
    async fn merge(&self, ctx: &Ctx, changes: &Map<String, Value>) -> Result<FlagSet, KvError> {
        let now = self.clock.now();
        let mut tx = self.begin(ctx).await?;
        let before = kv_store::find(&mut tx, DEFAULT_NAMESPACE, FLAGS_KEY, now)
            .await
            .map_err(DbError::from)?;
        let mut members = match before.as_ref().map(|entry| &entry.value) {
            Some(Value::Object(members)) => members.clone(),
            _ => Map::new(),
        };
        let former = Value::Object(members.clone());
        for (name, value) in changes {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        let value = Value::Object(members);
        let row = NewEntryRow {
            namespace: DEFAULT_NAMESPACE,
            key: FLAGS_KEY,
            value: &value,
            expires_at: None,
        };
        let expected = before.map_or(Expected::Absent, |entry| Expected::Version(entry.version));
        let stored = Self::put(&mut tx, &row, expected, now).await?;
        let details = json!({ "before": former, "after": value });
        self.audit(&mut tx, ctx, "flags.changed", FLAGS_KEY, details)
            .await?;
        tx.commit().await?;
        Ok(FlagSet::read(Some(&stored)))
    }
}

#[async_trait]
impl FlagSettings for KvStore {
    async fn flags(&self, ctx: &Ctx) -> Result<BTreeMap<Flag, FlagRule>, KvError> {
        admit(ctx)?;
        Ok(self.load_flags().await?.all())
    }

    async fn change_flags(
        &self,
        ctx: &Ctx,
        changes: Map<String, Value>,
    ) -> Result<BTreeMap<Flag, FlagRule>, KvError> {
        admit(ctx)?;
        let set = changes.iter().filter(|(_, value)| !value.is_null());
        let set: Map<String, Value> = set.map(|(k, v)| (k.clone(), v.clone())).collect();
        self::changes(&set, "")?;
        let removed = changes.iter().filter(|(_, value)| value.is_null());
        for (name, _) in removed {
            let named = Map::from_iter([(name.clone(), Value::Bool(true))]);
            self::changes(&named, "")?;
        }
        let mut attempt = 1;
        loop {
            match self.merge(ctx, &changes).await {
                Err(KvError::VersionMismatch { .. }) if attempt < ATTEMPTS => attempt += 1,
                merged => return Ok(merged?.all()),
            }
        }
    }
}

#[async_trait]
impl Flags for KvStore {
    async fn rule(&self, flag: Flag) -> Arc<FlagRule> {
        self.present_flags().await.rule(flag)
    }

    async fn rules(&self) -> Vec<(Flag, Arc<FlagRule>)> {
        let flags = self.present_flags().await;
        Flag::ALL.map(|flag| (flag, flags.rule(flag))).into()
    }

    fn applies(&self, flag: Flag, rule: &FlagRule, subject: Option<FlagSubject<'_>>) -> bool {
        rules::applies(flag, rule, subject)
    }
}
