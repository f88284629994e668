use crate::extract::{Caller, Id};
use crate::failures::{Absent, Always, SignedIn};
use crate::names::FileStatus;
use crate::problem::ApiError;
use crate::services::Services;
use crate::sse;
use actix_web::{HttpResponse, get, web};
use eyemotion_core::FileId;
use eyemotion_storage::Progress;
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How far a file's processing is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProgressView {
    file_id: Uuid,
    #[schema(value_type = FileStatus)]
    status: &'static str,
    /// Percent.
    #[schema(maximum = 100)]
    progress: u8,
    /// Why it is failed, rejected or quarantined.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        Self {
            file_id: progress.file.0,
            status: progress.status.as_str(),
            progress: progress.progress,
            error: progress.error,
        }
    }
}

/// Streams a file's processing.
///
/// Server-sent events named `progress`: the present state at once, then every change, until the
/// file is ready, failed or rejected. A comment is sent every 15 seconds in between.
#[utoipa::path(
    operation_id = "watchFile",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file")),
    responses((status = 200, description = "One event for each change", body = ProgressView, content_type = "text/event-stream"), SignedIn, Absent, Always)
)]
#[get("/files/{id}/events")]
pub(super) async fn watch(
    caller: Caller,
    id: Id<FileId>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let progress = services.files.events(&caller.ctx, id.0).await?;
    Ok(sse::respond(
        "progress",
        progress.map(ProgressView::from),
        services.clone(),
    ))
}
