use crate::extract::{AdminCaller, Id};
use crate::failures::{Absent, AdminOnly, Always};
use crate::problem::ApiError;
use crate::routes::api_keys::view::ApiKeyAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::ApiKeyId;

/// Revokes an API key.
///
/// It is refused everywhere within a second, and stays in the list.
#[utoipa::path(
    operation_id = "revokeApiKey",
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The key")),
    responses((status = 200, description = "Revoked", body = ApiKeyAnswer), AdminOnly, Absent, Always)
)]
#[delete("/api-keys/{id}")]
pub(super) async fn revoke(
    caller: AdminCaller,
    id: Id<ApiKeyId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let key = services.api_keys.revoke(&caller.0.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(ApiKeyAnswer::new("API key revoked.", key, None)))
}
