use crate::extract::{Id, PageQuery, Reader, ValidQuery};
use crate::failures::{Absent, Always, SignedIn, WithQuery};
use crate::names::{FileStatus, FileType};
use crate::problem::ApiError;
use crate::routes::files::view::FileView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::{FieldError, PageRequest, ProjectId};
use eyemotion_storage as storage;
use eyemotion_storage::{FileFilter, MediaKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which files are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state; absent: all that are neither trashed nor expired.
    #[param(value_type = Option<FileStatus>)]
    status: Option<String>,
    /// Only those of this type.
    #[param(value_type = Option<FileType>)]
    file_type: Option<String>,
    /// Only favourites, or only others.
    is_favorite: Option<bool>,
    /// Only those with this tag.
    tag: Option<String>,
}

/// A page of files, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FilesAnswer {
    success: Success,
    files: Vec<FileView>,
    /// For the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists a project's files, newest first.
#[utoipa::path(
    operation_id = "listProjectFiles",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"), FileQuery),
    responses((status = 200, description = "A page", body = FilesAnswer), SignedIn, WithQuery, Absent, Always)
)]
#[get("/projects/{id}/files")]
pub(super) async fn list(
    reader: Reader,
    id: Id<ProjectId>,
    query: ValidQuery<FileQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (filter, page) = query.0.parse()?;
    let list = async |ctx: &_| services.files.list(ctx, id.0, page, filter.clone()).await;
    let page = reader.read(list).await?;
    Ok(HttpResponse::Ok().json(FilesAnswer {
        success: Success,
        next_cursor: page.next.map(|next| next.encode()),
        files: page.items.into_iter().map(FileView::from).collect(),
    }))
}

impl FileQuery {
    fn parse(self) -> Result<(FileFilter, PageRequest), ApiError> {
        let page = PageQuery::new(self.limit, self.cursor).page()?;
        let status = self.status.map(|text| {
            let known = || {
                storage::FileStatus::ALL
                    .iter()
                    .map(|status| status.as_str())
            };
            storage::FileStatus::parse(&text).ok_or_else(|| unknown("status", known()))
        });
        let kind = self.file_type.map(|text| {
            let kinds = [
                MediaKind::Video,
                MediaKind::Audio,
                MediaKind::Image,
                MediaKind::Data,
            ];
            let found = kinds.into_iter().find(|kind| kind.as_str() == text);
            found.ok_or_else(|| unknown("fileType", kinds.iter().map(|kind| kind.as_str())))
        });
        let filter = FileFilter {
            status: status.transpose()?,
            kind: kind.transpose()?,
            is_favorite: self.is_favorite,
            tag: self.tag,
        };
        Ok((filter, page))
    }
}

fn unknown(name: &str, known: impl Iterator<Item = &'static str>) -> ApiError {
    let detail = format!("must be one of {}", known.collect::<Vec<_>>().join(", "));
    ApiError::invalid(vec![FieldError::new(name, "unknown_value", detail)])
}
