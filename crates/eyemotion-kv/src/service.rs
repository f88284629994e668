//! The crate's public page.

use crate::error::KvError;
use crate::model::{Entry, EntryPage, Expected, NewEntry};
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_ports::{Flag, FlagRule};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A key-value store for the platform, its operators and programs with an API key; which scopes
/// such a program has is checked where its request comes in.
///
/// A namespace has 1 to 64 of `A-Z a-z 0-9 _ - .` and begins with a letter or digit. A key has 1
/// to 512 characters, any but U+0000. An entry whose time is over is not there, whether or not it
/// has been swept.
///
/// Errors of every method: [`KvError::Invalid`] beyond these limits, [`KvError::Unauthenticated`],
/// [`KvError::Forbidden`].
#[async_trait]
pub trait KeyValue: Send + Sync {
    /// The entry under a key. From memory where the store was given a cache: then as it was at
    /// most a second ago, and never older than the caller's own changes.
    async fn get(
        &self,
        ctx: &Ctx,
        namespace: &str,
        key: &str,
    ) -> Result<Option<Arc<Entry>>, KvError>;

    /// Stores an entry; without a `ttl` it stays, also if it had one before.
    ///
    /// # Errors
    /// [`KvError::VersionMismatch`] if what is there is not what was expected.
    async fn set(
        &self,
        ctx: &Ctx,
        namespace: &str,
        entry: NewEntry,
        expected: Expected,
    ) -> Result<Entry, KvError>;

    /// Deletes an entry. Returns whether there was one.
    ///
    /// # Errors
    /// [`KvError::VersionMismatch`] if what is there is not what was expected.
    async fn del(
        &self,
        ctx: &Ctx,
        namespace: &str,
        key: &str,
        expected: Expected,
    ) -> Result<bool, KvError>;

    /// The entries under up to 100 keys, in the order of the keys.
    async fn mget(
        &self,
        ctx: &Ctx,
        namespace: &str,
        keys: &[String],
    ) -> Result<Vec<Option<Entry>>, KvError>;

    /// Stores up to 100 entries of different keys, all or none; returns them in the same order.
    async fn mset(
        &self,
        ctx: &Ctx,
        namespace: &str,
        entries: Vec<NewEntry>,
    ) -> Result<Vec<Entry>, KvError>;

    /// Deletes up to 100 entries. Returns how many there were.
    async fn mdel(&self, ctx: &Ctx, namespace: &str, keys: &[String]) -> Result<usize, KvError>;

    /// The entries whose keys begin with `prefix`, every character of which means itself: 1 to
    /// 1000 of them after the key `after`.
    async fn get_by_prefix(
        &self,
        ctx: &Ctx,
        namespace: &str,
        prefix: &str,
        limit: i64,
        after: Option<&str>,
    ) -> Result<EntryPage, KvError>;

    /// Forgets entries whose time is over; the platform's own. Returns how many.
    async fn sweep(&self, ctx: &Ctx) -> Result<usize, KvError>;
}

/// Feature flags for operators and programs with an API key: the entry `features:flags` of the
/// default namespace. Every way of writing it is checked and audited alike.
#[async_trait]
pub trait FlagSettings: Send + Sync {
    /// Every flag as it is stored now.
    ///
    /// # Errors
    /// As [`KeyValue`].
    async fn flags(&self, ctx: &Ctx) -> Result<BTreeMap<Flag, FlagRule>, KvError>;

    /// Changes the flags named in `changes`: to `true`, `false`, a rule, or with `null` back to
    /// being on for everybody. Returns all of them.
    ///
    /// # Errors
    /// [`KvError::Invalid`] for an unknown flag or a rule that makes no sense, and as [`KeyValue`].
    async fn change_flags(
        &self,
        ctx: &Ctx,
        changes: Map<String, Value>,
    ) -> Result<BTreeMap<Flag, FlagRule>, KvError>;
}
