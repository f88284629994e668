use crate::services::Services;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Public keys (RFC 7517).
#[derive(Serialize, ToSchema)]
struct JwkSet {
    /// One object for each key: `kty`, `crv`, `x`, `y`, `kid`, `alg`, `use`.
    #[schema(value_type = Vec<Object>)]
    keys: Value,
}

/// Returns the keys that access tokens are checked with.
#[utoipa::path(
    operation_id = "getJwks",
    tag = "auth",
    responses((status = 200, description = "The key set", body = JwkSet))
)]
#[get("/.well-known/jwks.json")]
pub(super) async fn jwks(services: web::Data<Services>) -> HttpResponse {
    let keys = services.accounts.jwks().get("keys").cloned().unwrap_or_default();
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=600"))
        .json(JwkSet { keys })
}
