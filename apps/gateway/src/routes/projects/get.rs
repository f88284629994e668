use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, SignedIn};
use crate::problem::ApiError;
use crate::routes::projects::view::{ProjectAnswer, project};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::ProjectId;

/// Returns a project.
#[utoipa::path(
    operation_id = "getProject",
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project")),
    responses((status = 200, description = "As it is now", body = ProjectAnswer, headers(("ETag" = String, description = "Its version"))), SignedIn, Absent, Always)
)]
#[get("/projects/{id}")]
pub(super) async fn get(
    caller: Caller,
    id: Id<ProjectId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let found = services.projects.get(&caller.ctx, id.0).await?;
    Ok(project(StatusCode::OK, None, found))
}
