use crate::extract::{Caller, Id, ValidJson};
use crate::failures::{Absent, Always, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::routes::files::view::{FileAnswer, file};
use crate::services::Services;
use actix_web::{HttpResponse, put, web};
use eyemotion_core::FileId;
use eyemotion_storage::FileChanges;
use serde::Deserialize;
use utoipa::ToSchema;

/// Whether it is one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FavoriteBody {
    is_favorite: bool,
}

/// Marks a file as a favourite, or takes the mark off.
///
/// Favourites are never deleted by the lifecycle.
#[utoipa::path(
    operation_id = "setFileFavorite",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file")),
    request_body = FavoriteBody,
    responses((status = 200, description = "Marked", body = FileAnswer, headers(("ETag" = String, description = "Its version"))), SignedIn, WithBody, Absent, Always)
)]
#[put("/files/{id}/favorite")]
pub(super) async fn favorite(
    caller: Caller,
    id: Id<FileId>,
    body: ValidJson<FavoriteBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let changes = FileChanges {
        is_favorite: Some(body.value.is_favorite),
        ..FileChanges::default()
    };
    let stored = services
        .files
        .update(&caller.ctx, id.0, changes, None)
        .await?;
    Ok(file(Some("File changed."), stored))
}
