use crate::extract::etag;
use crate::wire::{Success, Timestamp};
use actix_web::HttpResponse;
use chrono::TimeDelta;
use eyemotion_kv::{Entry, NewEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What is stored under a key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryView {
    namespace: String,
    key: String,
    /// Any JSON.
    value: Value,
    /// Grows with every change and is never used twice for a key; the ETag.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// From then on it is not there; null: it stays.
    expires_at: Option<Timestamp>,
    updated_at: Timestamp,
}

impl EntryView {
    pub(super) fn new(namespace: &str, entry: Entry) -> Self {
        Self {
            namespace: namespace.to_owned(),
            key: entry.key,
            value: entry.value,
            version: entry.version,
            expires_at: entry.expires_at.map(Timestamp),
            updated_at: entry.updated_at.into(),
        }
    }
}

/// One entry.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryAnswer {
    success: Success,
    entry: EntryView,
}

/// Answers with one entry, its version as the ETag.
pub(super) fn entry(namespace: &str, entry: Entry) -> HttpResponse {
    let tag = etag(entry.version);
    HttpResponse::Ok().insert_header(tag).json(EntryAnswer {
        success: Success,
        entry: EntryView::new(namespace, entry),
    })
}

/// Which entries are meant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeysBody {
    #[schema(min_items = 1, max_items = 100)]
    pub keys: Vec<String>,
}

/// How long an entry lives.
pub(super) fn new_entry(key: String, value: Value, ttl_seconds: Option<i64>) -> NewEntry {
    NewEntry {
        key,
        value,
        // What is too long for a duration is too long for the store.
        ttl: ttl_seconds.map(|seconds| TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)),
    }
}
