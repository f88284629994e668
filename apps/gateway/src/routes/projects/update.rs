use crate::extract::{Caller, Id, IfMatch, ValidJson};
use crate::failures::{Absent, Always, SignedIn, Stale, WithBody};
use crate::names::{ProjectStatus, ProjectType};
use crate::problem::ApiError;
use crate::routes::projects::view::{ProjectAnswer, project};
use crate::services::Services;
use crate::wire::patch;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, put, web};
use eyemotion_core::ProjectId;
use eyemotion_projects::{ProjectError, ProjectUpdate, UnknownName};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A merge patch (RFC 7396): what is absent stays, `null` clears.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateProjectBody {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 10000)]
    description: Option<String>,
    #[schema(value_type = Option<ProjectType>)]
    r#type: Option<String>,
    #[schema(value_type = Option<ProjectStatus>)]
    status: Option<String>,
    /// Merged into the stored object.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// Merged into the stored object.
    #[schema(value_type = Option<Object>)]
    collaboration_settings: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>, required = false, max_length = 2048)]
    thumbnail_url: Option<Option<String>>,
}

/// Changes a project.
#[utoipa::path(
    operation_id = "updateProject",
    tag = "projects",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The project"),
        IfMatch,
    ),
    request_body = UpdateProjectBody,
    responses((status = 200, description = "Changed", body = ProjectAnswer, headers(("ETag" = String, description = "Its version"))), SignedIn, WithBody, Absent, Stale, Always)
)]
#[put("/projects/{id}")]
pub(super) async fn update(
    caller: Caller,
    id: Id<ProjectId>,
    if_match: IfMatch,
    body: ValidJson<UpdateProjectBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let update = ProjectUpdate::try_from(body.value).map_err(ProjectError::from)?;
    let changed = services
        .projects
        .update(&caller.ctx, id.0, update, if_match.0)
        .await?;
    Ok(project(StatusCode::OK, Some("Project changed."), changed))
}

impl TryFrom<UpdateProjectBody> for ProjectUpdate {
    type Error = UnknownName;

    fn try_from(body: UpdateProjectBody) -> Result<Self, UnknownName> {
        Ok(Self {
            name: body.name,
            description: body.description,
            kind: body.r#type.map(|text| text.parse()).transpose()?,
            status: body.status.map(|text| text.parse()).transpose()?,
            settings: body.settings,
            collaboration_settings: body.collaboration_settings,
            thumbnail_url: body.thumbnail_url,
        })
    }
}
