use crate::extract::{AdminCaller, IdempotencyHeader, ValidJson};
use crate::failures::{AdminOnly, Always, WithBody};
use crate::problem::ApiError;
use crate::routes::api_keys::view::ApiKeyAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, Utc};
use eyemotion_auth::NewApiKey;
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

/// An API key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateApiKeyBody {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "Deployment")]
    name: String,
    /// `kv:read`, `kv:write`, either with `:<namespace>`, `flags:read`, `flags:write`.
    #[schema(min_items = 1, max_items = 32, example = json!(["kv:read"]))]
    scopes: Vec<String>,
    /// Some time in the future; absent: it works until it is revoked.
    expires_at: Option<DateTime<Utc>>,
}

/// Makes an API key.
///
/// Its secret is in this answer and nowhere else.
#[utoipa::path(
    operation_id = "createApiKey",
    tag = "api-keys",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body = CreateApiKeyBody,
    responses((status = 201, description = "Made", body = ApiKeyAnswer), AdminOnly, WithBody, Always)
)]
#[post("/api-keys")]
pub(super) async fn create(
    caller: AdminCaller,
    body: ValidJson<CreateApiKeyBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.0.idempotent(&body)?;
    let CreateApiKeyBody {
        name,
        scopes,
        expires_at,
    } = body.value;
    let new = NewApiKey {
        name,
        scopes,
        expires_at,
    };
    let made = services.api_keys.create(&ctx, new).await?;
    let secret = made.secret.map(|secret| secret.expose_secret().to_owned());
    let answer = ApiKeyAnswer::new("API key made: keep its secret.", made.key, secret);
    Ok(HttpResponse::Created().json(answer))
}
