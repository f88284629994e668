use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, Conflict, SignedIn};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, delete, web};
use uuid::Uuid;

/// Removes an identity from the caller's account.
///
/// The last way to sign in stays: where there is no password and no other identity, it is refused.
#[utoipa::path(
    operation_id = "removeIdentity",
    tag = "auth",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The identity")),
    responses(
        (status = 200, description = "Removed", body = Done),
        (status = 403, description = "Prove once more who you are", body = Problem, content_type = "application/problem+json"),
        SignedIn,
        Absent,
        Conflict,
        Always,
    )
)]
#[delete("/auth/identities/{id}")]
pub(super) async fn remove_identity(
    caller: Caller,
    id: Id<Uuid>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.federation.unlink(&caller.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(Done::new("The identity is removed.")))
}
