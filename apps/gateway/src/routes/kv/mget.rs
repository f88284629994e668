use crate::extract::{ServiceCaller, ValidJson};
use crate::failures::{Absent, AdminOnly, Always, WithBody};
use crate::problem::ApiError;
use crate::routes::kv::path::NamespacePath;
use crate::routes::kv::view::{EntryView, KeysBody};
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::Permission;
use serde::Serialize;
use utoipa::ToSchema;

/// The entries, in the order of the keys.
#[derive(Serialize, ToSchema)]
struct SomeEntriesAnswer {
    success: Success,
    /// Null where there is nothing under the key.
    entries: Vec<Option<EntryView>>,
}

/// Returns the entries of the key-value store under up to 100 keys.
///
/// For admins, and for API keys with the scope `kv:read` or `kv:read:<namespace>`.
#[utoipa::path(
    operation_id = "getEntries",
    tag = "kv",
    security(("bearer" = [])),
    params(("namespace" = String, Path, description = "Which part of the store, `default` say")),
    request_body = KeysBody,
    responses((status = 200, description = "As they are now", body = SomeEntriesAnswer), AdminOnly, WithBody, Absent, Always)
)]
#[post("/kv/{namespace}/mget")]
pub(super) async fn mget(
    caller: ServiceCaller,
    namespace: NamespacePath,
    body: ValidJson<KeysBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let namespace = namespace.0;
    let ctx = caller.permitted(&[Permission::ReadKv(&namespace)])?;
    let found = services.kv.mget(&ctx, &namespace, &body.value.keys).await?;
    let view = |entry| EntryView::new(&namespace, entry);
    Ok(HttpResponse::Ok().json(SomeEntriesAnswer {
        success: Success,
        entries: found.into_iter().map(|entry| entry.map(view)).collect(),
    }))
}
