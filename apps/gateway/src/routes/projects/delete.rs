use crate::extract::{Caller, Id, IfMatch};
use crate::failures::{Absent, Always, SignedIn, Stale};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::Done;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::ProjectId;

/// Deletes a project with all its files.
#[utoipa::path(
    operation_id = "deleteProject",
    tag = "projects",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The project"),
        IfMatch,
    ),
    responses((status = 200, description = "Gone", body = Done), SignedIn, Absent, Stale, Always)
)]
#[delete("/projects/{id}")]
pub(super) async fn delete(
    caller: Caller,
    id: Id<ProjectId>,
    if_match: IfMatch,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services
        .projects
        .delete(&caller.ctx, id.0, if_match.0)
        .await?;
    Ok(HttpResponse::Ok().json(Done::new("Project deleted.")))
}
