use crate::services::Services;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Public keys (RFC 7517).
#[derive(Serialize, ToSchema)]
struct JwkSet {
    #[schema(value_type = Vec<Jwk>)]
    keys: Value,
}

/// A public key (RFC 7517, RFC 7518): ES256 on P-256.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "the keys come as JSON; this only names their members"
)]
struct Jwk {
    #[schema(example = "EC")]
    kty: String,
    #[schema(example = "P-256")]
    crv: String,
    /// Base64url.
    x: String,
    /// Base64url.
    y: String,
    kid: String,
    #[schema(example = "ES256")]
    alg: String,
    #[schema(example = "sig")]
    r#use: String,
}

/// Returns the keys that access tokens are checked with.
#[utoipa::path(
    operation_id = "getJwks",
    tag = "auth",
    responses((status = 200, description = "The key set", body = JwkSet))
)]
#[get("/.well-known/jwks.json")]
pub(super) async fn jwks(services: web::Data<Services>) -> HttpResponse {
    let keys = services
        .accounts
        .jwks()
        .get("keys")
        .cloned()
        .unwrap_or_default();
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=600"))
        .json(JwkSet { keys })
}
