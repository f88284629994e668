use super::proof::proof;
use crate::extract::{Guest, Limited, SignIn, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

/// What the mail has shown (the link's `token`, or the `code` with the account's `email`), and the
/// new password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResetPasswordBody {
    /// Of the link.
    #[schema(value_type = Option<String>, max_length = 100)]
    token: Option<SecretString>,
    /// The account's address.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// Six digits.
    #[schema(value_type = Option<String>, max_length = 20)]
    code: Option<SecretString>,
    #[schema(value_type = String, min_length = 8, max_length = 256, format = Password)]
    password: SecretString,
}

/// Sets a new password by mail.
///
/// Ends every session of the account and opens none: sign in with the new password. A password
/// that is refused does not use up the link.
#[utoipa::path(
    operation_id = "resetPassword",
    tag = "auth",
    request_body = ResetPasswordBody,
    responses(
        (status = 200, description = "Changed", body = Done),
        (status = 403, description = "The link or the code is not valid (any more)", body = Problem, content_type = "application/problem+json"),
        WithBody,
        failures::Limited,
        Always,
    )
)]
#[post("/auth/password/reset")]
pub(super) async fn reset_password(
    _: Limited<SignIn>,
    guest: Guest,
    body: ValidJson<ResetPasswordBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let body = body.value;
    let proof = proof(body.token, body.email, body.code)?;
    services
        .recovery
        .reset_password(&guest.ctx, proof, body.password)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new("Password changed. Sign in with the new one.")))
}
