use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, SignedIn};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::SessionId;

/// Signs one of the caller's devices out.
#[utoipa::path(
    operation_id = "revokeSession",
    tag = "sessions",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses((status = 200, description = "Ended", body = Done), SignedIn, Absent, Always)
)]
#[delete("/auth/sessions/{id}")]
pub(super) async fn revoke(
    caller: Caller,
    id: Id<SessionId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.sessions.revoke(&caller.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(Done::new("Session ended.")))
}
