use crate::extract::Departing;
use crate::failures::{Absent, Always, SignedIn};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, post, web};

/// Keeps the caller's account after all.
#[utoipa::path(
    operation_id = "undoAccountDeletion",
    tag = "account",
    security(("bearer" = [])),
    responses((status = 200, description = "The account stays", body = Done), SignedIn, Absent, Always)
)]
#[post("/auth/account/deletion/undo")]
pub(super) async fn undo_account_deletion(
    caller: Departing,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.privacy.undo_deletion(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(Done::new("The account stays.")))
}
