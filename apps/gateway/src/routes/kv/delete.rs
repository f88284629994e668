use crate::extract::ServiceCaller;
use crate::failures::{Absent, AdminOnly, Always, Stale, Unfit};
use crate::problem::ApiError;
use crate::routes::kv::condition::Condition;
use crate::routes::kv::path::EntryPath;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::ErrorCode;
use std::iter;

/// Deletes an entry of the key-value store.
///
/// For admins, and for API keys with the scope `kv:write` or `kv:write:<namespace>`.
#[utoipa::path(
    operation_id = "deleteEntry",
    tag = "kv",
    security(("bearer" = [])),
    params(
        ("namespace" = String, Path, description = "Which part of the store, `default` say"),
        ("key" = String, Path, description = "The key, percent-encoded as one segment"),
        Condition,
    ),
    responses((status = 200, description = "Gone", body = Done), AdminOnly, Absent, Stale, Unfit, Always)
)]
#[delete("/kv/{namespace}/{key}")]
pub(super) async fn delete(
    caller: ServiceCaller,
    path: EntryPath,
    condition: Condition,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let EntryPath { namespace, key } = path;
    let ctx = caller.permitted_to_write(&namespace, iter::once(key.as_str()))?;
    if services.kv.del(&ctx, &namespace, &key, condition.0).await? {
        Ok(HttpResponse::Ok().json(Done::new("Entry deleted.")))
    } else {
        let detail = "There is nothing under this key.";
        Err(ApiError::new(ErrorCode::EntryNotFound, detail))
    }
}
