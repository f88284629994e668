use crate::extract::{Guest, Limited, Refresh, ValidJson};
use crate::failures::{self, Always, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::routes::auth::view::SessionView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The refresh token that the client holds.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefreshBody {
    refresh_token: String,
}

/// The next pair of tokens.
#[derive(Serialize, ToSchema)]
struct RefreshAnswer {
    success: Success,
    session: SessionView,
}

/// Renews a session's tokens.
///
/// A refresh token works once. For ten seconds the one before still gives the same successor, so
/// that several tabs may refresh at once; later its use ends the session.
#[utoipa::path(
    operation_id = "refreshSession",
    tag = "auth",
    request_body = RefreshBody,
    responses((status = 200, description = "Renewed", body = RefreshAnswer), SignedIn, WithBody, failures::Limited, Always)
)]
#[post("/auth/refresh")]
pub(super) async fn refresh(
    _: Limited<Refresh>,
    guest: Guest,
    body: ValidJson<RefreshBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let tokens = services
        .accounts
        .refresh(&guest.ctx, &body.value.refresh_token)
        .await?;
    Ok(HttpResponse::Ok().json(RefreshAnswer {
        success: Success,
        session: tokens.into(),
    }))
}
