use crate::extract::{Caller, Id, ValidQuery};
use crate::failures::{Absent, Always, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::projects::view::{ProjectQuery, ProjectsAnswer};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::UserId;

/// Lists a person's projects, newest first.
///
/// One's own; an administrator may name anybody.
#[utoipa::path(
    operation_id = "listUserProjects",
    tag = "projects",
    security(("bearer" = [])),
    params(("userId" = Uuid, Path, description = "Whose"), ProjectQuery),
    responses((status = 200, description = "A page", body = ProjectsAnswer), SignedIn, WithQuery, Absent, Always)
)]
#[get("/projects/user/{userId}")]
pub(super) async fn list_of_user(
    caller: Caller,
    user: Id<UserId>,
    query: ValidQuery<ProjectQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.parse()?;
    let page = services
        .projects
        .list_of(&caller.ctx, user.0, filter, page)
        .await?;
    Ok(HttpResponse::Ok().json(ProjectsAnswer::from(page)))
}
