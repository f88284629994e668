use crate::extract::{Caller, Id, IfMatch};
use crate::failures::{Absent, Always, Conflict, SignedIn, Stale};
use crate::problem::ApiError;
use crate::routes::files::view::FileView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, delete, web};
use eyemotion_core::FileId;
use eyemotion_storage::Deletion;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of it.
#[derive(Serialize, ToSchema)]
struct DeleteFileAnswer {
    success: Success,
    message: &'static str,
    /// Absent if it is gone for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileView>,
}

/// Deletes a file.
///
/// The first time it goes to the trash, where its bytes still count and from where it can be
/// restored. Deleting it there, or an upload that came to nothing, is for good.
#[utoipa::path(
    operation_id = "deleteFile",
    tag = "files",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The file"),
        IfMatch,
    ),
    responses((status = 200, description = "In the trash, or gone", body = DeleteFileAnswer), SignedIn, Absent, Conflict, Stale, Always)
)]
#[delete("/files/{id}")]
pub(super) async fn delete(
    caller: Caller,
    id: Id<FileId>,
    if_match: IfMatch,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (message, file) = match services.files.delete(&caller.ctx, id.0, if_match.0).await? {
        Deletion::Trashed(file) => ("The file is in the trash.", Some((*file).into())),
        Deletion::Purged => ("The file is gone.", None),
    };
    Ok(HttpResponse::Ok().json(DeleteFileAnswer {
        success: Success,
        message,
        file,
    }))
}
