use super::proof::ProofBody;
use crate::extract::{Guest, Limited, SignIn, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::problem::{ApiError, Problem};
use crate::routes::auth::signin::SigninAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::Proof;

/// Confirms an address and signs in.
///
/// Takes what the mail says: a link's token is good for 24 hours, a code for 10 minutes and 5 attempts, each once.
#[utoipa::path(
    operation_id = "confirmEmail",
    tag = "auth",
    request_body = ProofBody,
    responses(
        (status = 200, description = "Signed in", body = SigninAnswer),
        (status = 403, description = "The link or the code is not valid (any more), or the account is banned", body = Problem, content_type = "application/problem+json"),
        WithBody,
        failures::Limited,
        Always,
    )
)]
#[post("/auth/confirm")]
pub(super) async fn confirm_email(
    _: Limited<SignIn>,
    guest: Guest,
    body: ValidJson<ProofBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let proof = Proof::try_from(body.value)?;
    let signed_in = services.recovery.confirm_email(&guest.ctx, proof).await?;
    Ok(HttpResponse::Ok().json(SigninAnswer::new("Confirmed. Welcome.", signed_in)))
}
