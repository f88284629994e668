use super::proof::ProofBody;
use crate::extract::{Guest, Limited, SignIn, ValidJson};
use crate::failures::{self, Always, WithBody};
use crate::problem::{ApiError, Problem};
use crate::routes::auth::signin::SigninAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use eyemotion_auth::Proof;

/// Signs in by mail.
///
/// Takes what the mail says: good for 10 minutes, once; a code dies with its fifth wrong guess.
#[utoipa::path(
    operation_id = "verifyMagicLink",
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
#[post("/auth/magic-link/verify")]
pub(super) async fn verify_magic_link(
    _: Limited<SignIn>,
    guest: Guest,
    body: ValidJson<ProofBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let proof = Proof::try_from(body.value)?;
    let signed_in = services.recovery.sign_in_by_mail(&guest.ctx, proof).await?;
    Ok(HttpResponse::Ok().json(SigninAnswer::new("Signed in.", signed_in)))
}
