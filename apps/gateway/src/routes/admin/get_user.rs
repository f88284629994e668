use crate::extract::{AdminCaller, Id};
use crate::failures::{Absent, AdminOnly, Always};
use crate::problem::ApiError;
use crate::routes::admin::view::AdminUserView;
use crate::routes::auth::view::AccountView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::UserId;
use serde::Serialize;
use utoipa::ToSchema;

/// A person with profile and live subscription.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserDetailAnswer {
    success: Success,
    user: AdminUserView,
    account: AccountView,
    /// Sessions that live.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    sessions: i64,
}

/// Returns a person with profile and subscription.
#[utoipa::path(
    operation_id = "getUser",
    tag = "admin",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The person")),
    responses((status = 200, description = "As it is now", body = UserDetailAnswer), AdminOnly, Absent, Always)
)]
#[get("/admin/users/{id}")]
pub(super) async fn get_user(
    caller: AdminCaller,
    id: Id<UserId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let found = services.people.person(&caller.0.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(UserDetailAnswer {
        success: Success,
        user: found.person.into(),
        account: found.account.into(),
        sessions: found.sessions,
    }))
}
