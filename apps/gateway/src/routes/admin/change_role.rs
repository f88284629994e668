use crate::extract::{Id, SuperAdminCaller, ValidJson};
use crate::failures::{Absent, AdminOnly, Always, Conflict, WithBody};
use crate::problem::ApiError;
use crate::routes::admin::view::AdminUserAnswer;
use crate::routes::auth::view::RoleView;
use crate::services::Services;
use actix_web::{HttpResponse, put, web};
use eyemotion_core::{UserId, UserRole};
use serde::Deserialize;
use utoipa::ToSchema;

/// A role to be given.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleBody {
    #[schema(value_type = RoleView)]
    role: UserRole,
}

/// Gives a person a role.
///
/// It holds for requests from then on, whatever their tokens say. Nobody changes their own role,
/// and the last super_admin stays one. Asks for a fresh proof of who the caller is: 403
/// `reauthentication_needed`.
#[utoipa::path(
    operation_id = "changeRole",
    tag = "admin",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The person")),
    request_body = RoleBody,
    responses((status = 200, description = "Changed", body = AdminUserAnswer), AdminOnly, WithBody, Absent, Conflict, Always)
)]
#[put("/admin/users/{id}/role")]
pub(super) async fn change_role(
    caller: SuperAdminCaller,
    id: Id<UserId>,
    body: ValidJson<RoleBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let person = services
        .people
        .change_role(&caller.0.ctx, id.0, body.value.role)
        .await?;
    Ok(HttpResponse::Ok().json(AdminUserAnswer::new("Role changed.", person)))
}
