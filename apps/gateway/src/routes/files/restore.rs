use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, Conflict, SignedIn};
use crate::problem::ApiError;
use crate::routes::files::view::{FileAnswer, file};
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use eyemotion_core::FileId;

/// Takes a file out of the trash. Takes no body.
#[utoipa::path(
    operation_id = "restoreFile",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file")),
    responses((status = 200, description = "Restored", body = FileAnswer), SignedIn, Absent, Conflict, Always)
)]
#[post("/files/{id}/restore")]
pub(super) async fn restore(
    caller: Caller,
    id: Id<FileId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    Ok(file(
        Some("File restored."),
        services.files.restore(&caller.ctx, id.0).await?,
    ))
}
