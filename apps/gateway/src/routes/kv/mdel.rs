use crate::extract::{ServiceCaller, ValidJson};
use crate::failures::{Absent, AdminOnly, Always, WithBody};
use crate::problem::ApiError;
use crate::routes::kv::path::NamespacePath;
use crate::routes::kv::view::KeysBody;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use serde::Serialize;
use utoipa::ToSchema;

/// How many there were.
#[derive(Serialize, ToSchema)]
struct DeletedEntriesAnswer {
    success: Success,
    #[schema(maximum = 100)]
    deleted: usize,
}

/// Deletes up to 100 entries of the key-value store.
///
/// For admins, and for API keys with the scope `kv:write` or `kv:write:<namespace>`.
#[utoipa::path(
    operation_id = "deleteEntries",
    tag = "kv",
    security(("bearer" = [])),
    params(("namespace" = String, Path, description = "Which part of the store, `default` say")),
    request_body = KeysBody,
    responses((status = 200, description = "Gone", body = DeletedEntriesAnswer), AdminOnly, WithBody, Absent, Always)
)]
#[post("/kv/{namespace}/mdel")]
pub(super) async fn mdel(
    caller: ServiceCaller,
    namespace: NamespacePath,
    body: ValidJson<KeysBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (namespace, keys) = (namespace.0, body.value.keys);
    let ctx = caller.permitted_to_write(&namespace, keys.iter().map(String::as_str))?;
    let deleted = services.kv.mdel(&ctx, &namespace, &keys).await?;
    Ok(HttpResponse::Ok().json(DeletedEntriesAnswer {
        success: Success,
        deleted,
    }))
}
