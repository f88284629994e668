use crate::extract::Caller;
use crate::failures::{self, Always, SignedIn};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};

/// Mails the caller a code to prove with who they are.
///
/// For accounts without a password: send the code to `/auth/reauthenticate` within 10 minutes, from
/// the session that asked for it.
#[utoipa::path(
    operation_id = "sendReauthenticationCode",
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 200, description = "A mail is on its way", body = Done), SignedIn, failures::Limited, Always)
)]
#[post("/auth/reauthenticate/code")]
pub(super) async fn send_reauthentication_code(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services
        .recovery
        .request_reauthentication_code(&caller.ctx)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new("A mail is on its way.")))
}
