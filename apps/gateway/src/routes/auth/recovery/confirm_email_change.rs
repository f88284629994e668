use super::proof::ProofBody;
use crate::extract::{Guest, Limited, SignIn, ValidJson};
use crate::failures::{self, Always, Conflict, WithBody};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::Proof;
use serde::Serialize;
use utoipa::ToSchema;

/// The account's new address.
#[derive(Serialize, ToSchema)]
struct EmailChangedAnswer {
    success: Success,
    message: &'static str,
    email: String,
}

/// Gives the account its new address.
///
/// Beside a code, `email` is the address that the account still has. The former address gets a
/// mail, and links that were sent there before are no longer good.
#[utoipa::path(
    operation_id = "confirmEmailChange",
    tag = "auth",
    request_body = ProofBody,
    responses(
        (status = 200, description = "Changed", body = EmailChangedAnswer),
        (status = 403, description = "The link or the code is not valid (any more)", body = Problem, content_type = "application/problem+json"),
        WithBody,
        Conflict,
        failures::Limited,
        Always,
    )
)]
#[post("/auth/email/confirm")]
pub(super) async fn confirm_email_change(
    _: Limited<SignIn>,
    guest: Guest,
    body: ValidJson<ProofBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let proof = Proof::try_from(body.value)?;
    let email = services.recovery.change_email(&guest.ctx, proof).await?;
    Ok(HttpResponse::Ok().json(EmailChangedAnswer {
        success: Success,
        message: "Address changed.",
        email,
    }))
}
