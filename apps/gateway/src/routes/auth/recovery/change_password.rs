use crate::extract::{Caller, ValidJson};
use crate::failures::{self, Always, SignedIn, WithBody};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, put, web};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangePasswordBody {
    /// Left out by accounts that have none yet.
    #[schema(value_type = Option<String>, format = Password)]
    current_password: Option<SecretString>,
    #[schema(value_type = String, min_length = 8, max_length = 256, format = Password)]
    new_password: SecretString,
}

/// Changes the caller's password.
///
/// Ends the caller's other sessions. An account without a password gets its first one, if the
/// caller has proved a short time ago who they are.
#[utoipa::path(
    operation_id = "changePassword",
    tag = "auth",
    security(("bearer" = [])),
    request_body = ChangePasswordBody,
    responses(
        (status = 200, description = "Changed", body = Done),
        (status = 403, description = "Prove again who you are: `reauthentication_needed`", body = Problem, content_type = "application/problem+json"),
        SignedIn,
        WithBody,
        failures::Limited,
        Always,
    )
)]
#[put("/auth/password")]
pub(super) async fn change_password(
    caller: Caller,
    body: ValidJson<ChangePasswordBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ChangePasswordBody {
        current_password,
        new_password,
    } = body.value;
    services
        .recovery
        .change_password(&caller.ctx, current_password, new_password)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new("Password changed.")))
}
