use crate::extract::ServiceCaller;
use crate::failures::{AdminOnly, Always};
use crate::problem::ApiError;
use crate::routes::flags::view::FlagsAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use eyemotion_auth::Permission;

/// Returns the feature flags.
///
/// For admins, and for API keys with the scope `flags:read`.
#[utoipa::path(
    operation_id = "getFlags",
    tag = "flags",
    security(("bearer" = [])),
    responses((status = 200, description = "As they are now", body = FlagsAnswer), AdminOnly, Always)
)]
#[get("/admin/flags")]
pub(super) async fn get(
    caller: ServiceCaller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.permitted(&[Permission::ReadFlags])?;
    let flags = services.flag_settings.flags(&ctx).await?;
    Ok(HttpResponse::Ok().json(FlagsAnswer::from(flags)))
}
