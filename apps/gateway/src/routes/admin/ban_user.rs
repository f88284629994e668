use crate::extract::{AdminCaller, Id, ValidJson};
use crate::failures::{Absent, AdminOnly, Always, Conflict, WithBody};
use crate::problem::ApiError;
use crate::routes::admin::view::AdminUserAnswer;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, Utc};
use eyemotion_auth::NewBan;
use eyemotion_core::UserId;
use serde::Deserialize;
use utoipa::ToSchema;

/// A ban to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BanBody {
    /// Some time in the future; absent: for good.
    until: Option<DateTime<Utc>>,
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Bans a person.
///
/// Their sessions end, and a sign-in with the right password is told of the ban. On somebody
/// banned, the new ban replaces the old one.
#[utoipa::path(
    operation_id = "banUser",
    tag = "admin",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The person")),
    request_body = BanBody,
    responses((status = 200, description = "Banned", body = AdminUserAnswer), AdminOnly, WithBody, Absent, Conflict, Always)
)]
#[post("/admin/users/{id}/ban")]
pub(super) async fn ban_user(
    caller: AdminCaller,
    id: Id<UserId>,
    body: ValidJson<BanBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ban = NewBan {
        until: body.value.until,
        reason: body.value.reason,
    };
    let person = services.people.ban(&caller.0.ctx, id.0, ban).await?;
    Ok(HttpResponse::Ok().json(AdminUserAnswer::new("Banned.", person)))
}
