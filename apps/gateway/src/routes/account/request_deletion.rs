use crate::extract::Departing;
use crate::failures::{Always, Conflict, SignedIn};
use crate::problem::{ApiError, Problem};
use crate::routes::account::view::DeletionView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use serde::Serialize;
use utoipa::ToSchema;

/// When it will happen.
#[derive(Serialize, ToSchema)]
struct RequestDeletionAnswer {
    success: Success,
    message: &'static str,
    deletion: DeletionView,
}

/// Asks for the deletion of the caller's account, with everything that belongs to it.
///
/// Needs a recent proof of who one is. Every session ends; until `dueAt` one can sign in, to do
/// nothing but undo this, and so does the mailed link. Asking twice changes nothing.
#[utoipa::path(
    operation_id = "requestAccountDeletion",
    tag = "account",
    security(("bearer" = [])),
    responses(
        (status = 202, description = "It will be deleted", body = RequestDeletionAnswer),
        (status = 403, description = "Prove once more who you are", body = Problem, content_type = "application/problem+json"),
        SignedIn, Conflict, Always,
    )
)]
#[post("/auth/account/deletion")]
pub(super) async fn request_account_deletion(
    caller: Departing,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let deletion = services.privacy.request_deletion(&caller.ctx).await?;
    Ok(HttpResponse::Accepted().json(RequestDeletionAnswer {
        success: Success,
        message: "The account will be deleted. Until then you can undo this.",
        deletion: deletion.into(),
    }))
}
