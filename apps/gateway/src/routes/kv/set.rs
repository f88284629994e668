use crate::extract::{ServiceCaller, ValidJson};
use crate::failures::{Absent, AdminOnly, Always, Stale, WithBody};
use crate::problem::ApiError;
use crate::routes::kv::condition::Condition;
use crate::routes::kv::path::EntryPath;
use crate::routes::kv::view::{EntryAnswer, entry, new_entry};
use crate::services::Services;
use actix_web::{HttpResponse, put, web};
use serde::Deserialize;
use serde_json::Value;
use std::iter;
use utoipa::ToSchema;

/// What is to be stored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetEntryBody {
    /// Any JSON, at most 1 MiB.
    value: Value,
    /// How long it lives; absent: until it is deleted.
    #[schema(minimum = 1, maximum = 3_155_760_000_i64)]
    ttl_seconds: Option<i64>,
}

/// Stores an entry in the key-value store.
///
/// For admins, and for API keys with the scope `kv:write` or `kv:write:<namespace>`; to write
/// `features:flags` of the namespace `default`, a key needs `flags:write` as well.
#[utoipa::path(
    operation_id = "setEntry",
    tag = "kv",
    security(("bearer" = [])),
    params(
        ("namespace" = String, Path, description = "Which part of the store, `default` say"),
        ("key" = String, Path, description = "The key, percent-encoded as one segment"),
        Condition,
    ),
    request_body = SetEntryBody,
    responses((status = 200, description = "Stored", body = EntryAnswer, headers(("ETag" = String, description = "Its version"))), AdminOnly, WithBody, Absent, Stale, Always)
)]
#[put("/kv/{namespace}/{key}")]
pub(super) async fn set(
    caller: ServiceCaller,
    path: EntryPath,
    condition: Condition,
    body: ValidJson<SetEntryBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let EntryPath { namespace, key } = path;
    let ctx = caller.permitted_to_write(&namespace, iter::once(key.as_str()))?;
    let new = new_entry(key, body.value.value, body.value.ttl_seconds);
    let stored = services.kv.set(&ctx, &namespace, new, condition.0).await?;
    Ok(entry(&namespace, stored))
}
