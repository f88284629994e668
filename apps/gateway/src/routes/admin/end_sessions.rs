use crate::extract::{AdminCaller, Id};
use crate::failures::{Absent, AdminOnly, Always, Conflict};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::UserId;
use serde::Serialize;
use utoipa::ToSchema;

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndedSessionsAnswer {
    success: Success,
    message: &'static str,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    ended: usize,
}

/// Ends all sessions of a person.
#[utoipa::path(
    operation_id = "endUserSessions",
    tag = "admin",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The person")),
    responses((status = 200, description = "Ended", body = EndedSessionsAnswer), AdminOnly, Absent, Conflict, Always)
)]
#[delete("/admin/users/{id}/sessions")]
pub(super) async fn end_sessions(
    caller: AdminCaller,
    id: Id<UserId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ended = services.people.end_sessions(&caller.0.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(EndedSessionsAnswer {
        success: Success,
        message: "Sessions ended.",
        ended,
    }))
}
