use crate::extract::{Caller, IdempotencyHeader, ValidJson};
use crate::failures::{Always, SignedIn, WithBody};
use crate::names::ProjectType;
use crate::problem::ApiError;
use crate::routes::projects::view::{ProjectAnswer, project};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use eyemotion_projects::{NewProject, UnknownName};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A project to be started.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateProjectBody {
    #[schema(min_length = 1, max_length = 200, example = "First film")]
    name: String,
    #[schema(max_length = 10000)]
    description: Option<String>,
    #[schema(value_type = Option<ProjectType>, default = "other")]
    r#type: Option<String>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    #[schema(max_length = 2048)]
    thumbnail_url: Option<String>,
}

/// Starts a project.
#[utoipa::path(
    operation_id = "createProject",
    tag = "projects",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body = CreateProjectBody,
    responses((status = 201, description = "Started", body = ProjectAnswer, headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its path"))), SignedIn, WithBody, Always)
)]
#[post("/projects")]
pub(super) async fn create(
    caller: Caller,
    body: ValidJson<CreateProjectBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.idempotent(&body)?;
    let new = NewProject::try_from(body.value).map_err(eyemotion_projects::ProjectError::from)?;
    let created = services.projects.create(&ctx, new).await?;
    Ok(project(
        StatusCode::CREATED,
        Some("Project created."),
        created,
    ))
}

impl TryFrom<CreateProjectBody> for NewProject {
    type Error = UnknownName;

    fn try_from(body: CreateProjectBody) -> Result<Self, UnknownName> {
        Ok(Self {
            name: body.name,
            description: body.description,
            kind: body.r#type.map(|text| text.parse()).transpose()?,
            settings: body.settings,
            thumbnail_url: body.thumbnail_url,
        })
    }
}
