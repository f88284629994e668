use crate::extract::{Caller, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::sessions::ScopeName;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, delete, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which sessions are to end.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RevokeQuery {
    /// Which ones: `others` signs every other device out.
    #[param(inline)]
    scope: ScopeName,
}

/// How many sessions have ended.
#[derive(Serialize, ToSchema)]
struct RevokeAnswer {
    success: Success,
    message: &'static str,
    /// How many there were.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    ended: usize,
}

/// Signs several of the caller's devices out at once.
#[utoipa::path(
    operation_id = "revokeSessions",
    tag = "sessions",
    security(("bearer" = [])),
    params(RevokeQuery),
    responses((status = 200, description = "Ended", body = RevokeAnswer), SignedIn, WithQuery, Always)
)]
#[delete("/auth/sessions")]
pub(super) async fn revoke_many(
    caller: Caller,
    query: ValidQuery<RevokeQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let scope = query.0.scope.into();
    let ended = services.sessions.sign_out(&caller.ctx, scope).await?;
    Ok(HttpResponse::Ok().json(RevokeAnswer {
        success: Success,
        message: "Sessions ended.",
        ended,
    }))
}
