use crate::extract::Caller;
use crate::failures::{Always, SignedIn};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};

/// Ends the caller's session.
#[utoipa::path(
    operation_id = "signOut",
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 200, description = "Signed out", body = Done), SignedIn, Always)
)]
#[post("/auth/signout")]
pub(super) async fn signout(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.accounts.sign_out(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(Done::new("Signed out.")))
}
