use crate::extract::{PageQuery, etag};
use crate::names::{ProjectStatus, ProjectType};
use crate::problem::ApiError;
use crate::wire::{Success, Timestamp};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, http::header};
use eyemotion_core::{Page, PageRequest};
use eyemotion_projects::{Project, ProjectFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A film project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectView {
    id: Uuid,
    user_id: Uuid,
    name: String,
    description: String,
    #[schema(value_type = ProjectType)]
    r#type: &'static str,
    #[schema(value_type = ProjectStatus)]
    status: &'static str,
    /// The client's own.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The client's own.
    #[schema(value_type = Object)]
    collaboration_settings: Map<String, Value>,
    thumbnail_url: Option<String>,
    file_count: i32,
    /// Seconds, of all files together.
    total_duration: f64,
    export_count: i32,
    last_opened_at: Option<Timestamp>,
    /// Counts changes; the ETag.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.0,
            user_id: project.owner.0,
            name: project.name,
            description: project.description,
            r#type: project.kind.as_str(),
            status: project.status.as_str(),
            settings: project.settings,
            collaboration_settings: project.collaboration_settings,
            thumbnail_url: project.thumbnail_url,
            file_count: project.file_count,
            total_duration: crate::wire::seconds(project.total_duration_us),
            export_count: project.export_count,
            last_opened_at: project.last_opened_at.map(Timestamp),
            version: project.version,
            created_at: project.created_at.into(),
            updated_at: project.updated_at.into(),
        }
    }
}

/// One project.
#[derive(Serialize, ToSchema)]
pub struct ProjectAnswer {
    success: Success,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    project: ProjectView,
}

/// Answers with one project, its version as the ETag.
pub fn project(
    status: StatusCode,
    message: Option<&'static str>,
    project: Project,
) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    answer.insert_header(etag(project.version));
    if status == StatusCode::CREATED {
        answer.insert_header((header::LOCATION, format!("/api/v1/projects/{}", project.id)));
    }
    answer.json(ProjectAnswer {
        success: Success,
        message,
        project: project.into(),
    })
}

/// A page of projects, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectsAnswer {
    success: Success,
    projects: Vec<ProjectView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl From<Page<Project>> for ProjectsAnswer {
    fn from(page: Page<Project>) -> Self {
        Self {
            success: Success,
            next_cursor: page.next.map(|next| next.encode()),
            projects: page.items.into_iter().map(ProjectView::from).collect(),
        }
    }
}

/// Which projects are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Only those in this status.
    #[param(value_type = Option<ProjectStatus>)]
    status: Option<String>,
    /// Only those of this type.
    #[param(value_type = Option<ProjectType>)]
    r#type: Option<String>,
}

impl ProjectQuery {
    /// Checks the values.
    pub fn parse(self) -> Result<(ProjectFilter, PageRequest), ApiError> {
        let page = PageQuery::new(self.limit, self.cursor).page()?;
        let wrong = |name: &str, detail: String| {
            ApiError::invalid(vec![eyemotion_core::FieldError::new(
                name,
                "unknown_value",
                detail,
            )])
        };
        let status = self.status.map(|text| text.parse()).transpose();
        let kind = self.r#type.map(|text| text.parse()).transpose();
        let filter = ProjectFilter {
            status: status.map_err(|error: eyemotion_projects::UnknownName| {
                wrong("status", error.to_string())
            })?,
            kind: kind.map_err(|error: eyemotion_projects::UnknownName| {
                wrong("type", error.to_string())
            })?,
        };
        Ok((filter, page))
    }
}
