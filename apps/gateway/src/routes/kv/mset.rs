use crate::extract::{ServiceCaller, ValidJson};
use crate::failures::{Absent, AdminOnly, Always, WithBody};
use crate::problem::ApiError;
use crate::routes::kv::path::NamespacePath;
use crate::routes::kv::view::{EntryView, new_entry};
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_kv::NewEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What is to be stored, all or nothing.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetEntriesBody {
    #[schema(min_items = 1, max_items = 100)]
    entries: Vec<NewEntryBody>,
}

/// One entry of them.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewEntryBody {
    #[schema(min_length = 1, max_length = 512)]
    key: String,
    /// Any JSON, at most 1 MiB.
    value: Value,
    /// How long it lives; absent: until it is deleted.
    #[schema(minimum = 1, maximum = 3_155_760_000_i64)]
    ttl_seconds: Option<i64>,
}

/// The entries as they are now, in the order in which they were sent.
#[derive(Serialize, ToSchema)]
struct StoredEntriesAnswer {
    success: Success,
    entries: Vec<EntryView>,
}

/// Stores up to 100 entries in the key-value store, all or none.
///
/// For admins, and for API keys with the scope `kv:write` or `kv:write:<namespace>`.
#[utoipa::path(
    operation_id = "setEntries",
    tag = "kv",
    security(("bearer" = [])),
    params(("namespace" = String, Path, description = "Which part of the store, `default` say")),
    request_body = SetEntriesBody,
    responses((status = 200, description = "Stored", body = StoredEntriesAnswer), AdminOnly, WithBody, Absent, Always)
)]
#[post("/kv/{namespace}/mset")]
pub(super) async fn mset(
    caller: ServiceCaller,
    namespace: NamespacePath,
    body: ValidJson<SetEntriesBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (namespace, new) = (namespace.0, body.value.entries);
    let keys = new.iter().map(|entry| entry.key.as_str());
    let ctx = caller.permitted_to_write(&namespace, keys)?;
    let new: Vec<NewEntry> = new
        .into_iter()
        .map(|entry| new_entry(entry.key, entry.value, entry.ttl_seconds))
        .collect();
    let stored = services.kv.mset(&ctx, &namespace, new).await?;
    let view = |entry| EntryView::new(&namespace, entry);
    Ok(HttpResponse::Ok().json(StoredEntriesAnswer {
        success: Success,
        entries: stored.into_iter().map(view).collect(),
    }))
}
