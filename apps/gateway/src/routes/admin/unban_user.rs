use crate::extract::{AdminCaller, Id};
use crate::failures::{Absent, AdminOnly, Always, Conflict};
use crate::problem::ApiError;
use crate::routes::admin::view::AdminUserAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::UserId;

/// Lifts a person's ban.
#[utoipa::path(
    operation_id = "unbanUser",
    tag = "admin",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The person")),
    responses((status = 200, description = "Not banned", body = AdminUserAnswer), AdminOnly, Absent, Conflict, Always)
)]
#[delete("/admin/users/{id}/ban")]
pub(super) async fn unban_user(
    caller: AdminCaller,
    id: Id<UserId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let person = services.people.unban(&caller.0.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(AdminUserAnswer::new("The ban is lifted.", person)))
}
