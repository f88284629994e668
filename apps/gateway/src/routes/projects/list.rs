use crate::extract::{Caller, ValidQuery};
use crate::failures::{Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::projects::view::{ProjectQuery, ProjectsAnswer};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};

/// Lists the caller's projects, newest first.
#[utoipa::path(
    operation_id = "listProjects",
    tag = "projects",
    security(("bearer" = [])),
    params(ProjectQuery),
    responses((status = 200, description = "A page", body = ProjectsAnswer), SignedIn, WithQuery, Always)
)]
#[get("/projects")]
pub(super) async fn list(
    caller: Caller,
    query: ValidQuery<ProjectQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.parse()?;
    let page = services.projects.list(&caller.ctx, filter, page).await?;
    Ok(HttpResponse::Ok().json(ProjectsAnswer::from(page)))
}
