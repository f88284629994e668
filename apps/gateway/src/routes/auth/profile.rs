use crate::extract::{Caller, etag};
use crate::failures::{Always, SignedIn};
use crate::problem::ApiError;
use crate::routes::auth::view::ProfileView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

/// The caller's profile.
#[derive(Serialize, ToSchema)]
struct ProfileAnswer {
    success: Success,
    profile: ProfileView,
}

/// Returns the caller's profile.
#[utoipa::path(
    operation_id = "getProfile",
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 200, description = "The profile", body = ProfileAnswer, headers(("ETag" = String, description = "Its version"))), SignedIn, Always)
)]
#[get("/auth/profile")]
pub(super) async fn get_profile(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let profile = services.accounts.profile(&caller.ctx).await?;
    let tag = etag(profile.version);
    Ok(HttpResponse::Ok().insert_header(tag).json(ProfileAnswer {
        success: Success,
        profile: profile.into(),
    }))
}
