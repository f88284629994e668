use crate::extract::ServiceCaller;
use crate::failures::{Absent, AdminOnly, Always, Unfit};
use crate::problem::ApiError;
use crate::routes::kv::path::EntryPath;
use crate::routes::kv::view::{EntryAnswer, entry};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use eyemotion_auth::Permission;
use eyemotion_core::ErrorCode;

/// Returns an entry of the key-value store.
///
/// For admins, and for API keys with the scope `kv:read` or `kv:read:<namespace>`.
#[utoipa::path(
    operation_id = "getEntry",
    tag = "kv",
    security(("bearer" = [])),
    params(
        ("namespace" = String, Path, description = "Which part of the store, `default` say"),
        ("key" = String, Path, description = "The key, percent-encoded as one segment"),
    ),
    responses((status = 200, description = "As it is now", body = EntryAnswer, headers(("ETag" = String, description = "Its version"))), AdminOnly, Absent, Unfit, Always)
)]
#[get("/kv/{namespace}/{key}")]
pub(super) async fn get(
    caller: ServiceCaller,
    path: EntryPath,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.permitted(&[Permission::ReadKv(&path.namespace)])?;
    let found = services.kv.get(&ctx, &path.namespace, &path.key).await?;
    let found = found.ok_or_else(|| {
        ApiError::new(ErrorCode::EntryNotFound, "There is nothing under this key.")
    })?;
    Ok(entry(&path.namespace, (*found).clone()))
}
