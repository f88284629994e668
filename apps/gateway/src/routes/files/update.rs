use crate::extract::{Caller, Id, IfMatch, ValidJson};
use crate::failures::{Absent, Always, SignedIn, Stale, WithBody};
use crate::problem::ApiError;
use crate::routes::files::view::{FileAnswer, file};
use crate::services::Services;
use actix_web::{HttpResponse, put, web};
use eyemotion_core::FileId;
use eyemotion_storage::FileChanges;
use serde::Deserialize;
use utoipa::ToSchema;

/// What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateFileBody {
    /// The shown name; its extension must fit the type.
    #[schema(min_length = 1, max_length = 255)]
    filename: Option<String>,
    #[schema(max_items = 64)]
    tags: Option<Vec<String>>,
    is_favorite: Option<bool>,
}

/// Changes a file's name, tags or favourite mark.
#[utoipa::path(
    operation_id = "updateFile",
    tag = "files",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The file"),
        IfMatch,
    ),
    request_body = UpdateFileBody,
    responses((status = 200, description = "Changed", body = FileAnswer, headers(("ETag" = String, description = "Its version"))), SignedIn, WithBody, Absent, Stale, Always)
)]
#[put("/files/{id}")]
pub(super) async fn update(
    caller: Caller,
    id: Id<FileId>,
    if_match: IfMatch,
    body: ValidJson<UpdateFileBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let UpdateFileBody {
        filename,
        tags,
        is_favorite,
    } = body.value;
    let changes = FileChanges {
        name: filename,
        tags,
        is_favorite,
    };
    let stored = services
        .files
        .update(&caller.ctx, id.0, changes, if_match.0)
        .await?;
    Ok(file(Some("File changed."), stored))
}
