use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, SignedIn};
use crate::problem::ApiError;
use crate::routes::files::view::{FileAnswer, file};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::FileId;

/// Returns a file.
#[utoipa::path(
    operation_id = "getFile",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file")),
    responses((status = 200, description = "As it is now", body = FileAnswer, headers(("ETag" = String, description = "Its version"))), SignedIn, Absent, Always)
)]
#[get("/files/{id}")]
pub(super) async fn get(
    caller: Caller,
    id: Id<FileId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    Ok(file(None, services.files.get(&caller.ctx, id.0).await?))
}
