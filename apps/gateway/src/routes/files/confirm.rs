use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, Conflict, Exhausted, SignedIn};
use crate::problem::{ApiError, Problem};
use crate::routes::files::view::FileView;
use crate::services::Services;
use crate::wire::Success;
use actix_web::{HttpResponse, post, web};
use eyemotion_core::FileId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The file is taken in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConfirmAnswer {
    success: Success,
    message: &'static str,
    file_id: Uuid,
    /// Credits that can be spent now.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    remaining_credits: i64,
    file: FileView,
}

/// Takes an uploaded file into its project.
///
/// Checks what has arrived, charges the credits and starts processing, all or nothing. Repeating
/// it changes nothing and answers the same. Takes no body.
#[utoipa::path(
    operation_id = "confirmUpload",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file")),
    responses(
        (status = 200, description = "Taken in; watch `/files/{id}/events`", body = ConfirmAnswer),
        (status = 410, description = "The upload was not finished in time", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the declared size or checksum", body = Problem, content_type = "application/problem+json"),
        SignedIn, Exhausted, Absent, Conflict, Always,
    )
)]
#[post("/files/{id}/confirm")]
pub(super) async fn confirm(
    caller: Caller,
    id: Id<FileId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let confirmed = services.files.confirm(&caller.ctx, id.0).await?;
    Ok(HttpResponse::Ok().json(ConfirmAnswer {
        success: Success,
        message: "Upload confirmed; the file is being processed.",
        file_id: id.0.0,
        remaining_credits: confirmed.remaining_credits.0,
        file: confirmed.file.into(),
    }))
}
