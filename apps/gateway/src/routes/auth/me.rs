use crate::extract::Reader;
use crate::failures::{Always, SignedIn};
use crate::problem::ApiError;
use crate::routes::auth::view::AccountView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

/// The caller's account.
#[derive(Serialize, ToSchema)]
struct MeAnswer {
    success: Success,
    user: AccountView,
}

/// Returns the caller's account.
///
/// With profile, live subscription, its plan and the credits left.
#[utoipa::path(
    operation_id = "getMe",
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 200, description = "The account", body = MeAnswer), SignedIn, Always)
)]
#[get("/auth/me")]
pub(super) async fn me(
    reader: Reader,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let account = reader
        .read(async |ctx| services.accounts.me(ctx).await)
        .await?;
    Ok(HttpResponse::Ok().json(MeAnswer {
        success: Success,
        user: account.into(),
    }))
}
