use crate::extract::{Caller, ValidJson};
use crate::failures::{self, Always, SignedIn, WithBody};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

/// The address that the account is to have.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeEmailBody {
    #[schema(max_length = 254, example = "new@example.com")]
    email: String,
    /// May be left out a short time after the caller has proved who they are.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

/// Asks for another address.
///
/// A link and a code go to the new address; the account keeps the old one until they come back.
/// Whether the new address has an account is not told.
#[utoipa::path(
    operation_id = "changeEmail",
    tag = "auth",
    security(("bearer" = [])),
    request_body = ChangeEmailBody,
    responses(
        (status = 200, description = "A mail is on its way", body = Done),
        (status = 403, description = "Prove again who you are: `reauthentication_needed`", body = Problem, content_type = "application/problem+json"),
        SignedIn,
        WithBody,
        failures::Limited,
        Always,
    )
)]
#[post("/auth/email")]
pub(super) async fn change_email(
    caller: Caller,
    body: ValidJson<ChangeEmailBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ChangeEmailBody { email, password } = body.value;
    services
        .recovery
        .request_email_change(&caller.ctx, &email, password)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new("A mail is on its way to the new address.")))
}
