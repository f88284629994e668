use crate::extract::Departing;
use crate::failures::{Always, SignedIn};
use crate::problem::ApiError;
use crate::routes::account::view::DeletionView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether the account is going to be deleted.
#[derive(Serialize, ToSchema)]
struct AccountDeletionAnswer {
    success: Success,
    /// Null: it stays.
    deletion: Option<DeletionView>,
}

/// Tells whether the caller's account is going to be deleted.
#[utoipa::path(
    operation_id = "getAccountDeletion",
    tag = "account",
    security(("bearer" = [])),
    responses((status = 200, description = "Whether, and when", body = AccountDeletionAnswer), SignedIn, Always)
)]
#[get("/auth/account/deletion")]
pub(super) async fn get_account_deletion(
    caller: Departing,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let deletion = services.privacy.deletion(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(AccountDeletionAnswer {
        success: Success,
        deletion: deletion.map(DeletionView::from),
    }))
}
