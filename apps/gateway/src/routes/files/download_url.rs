use crate::extract::{Caller, Id, Origin, ValidQuery};
use crate::failures::{Absent, Always, Conflict, SignedIn, WithQuery};
use crate::problem::ApiError;
use crate::routes::storage::rendition::RenditionQuery;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_core::FileId;
use serde::Serialize;
use utoipa::ToSchema;

/// Where to download it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DownloadUrlAnswer {
    success: Success,
    /// Works for whoever holds it, without signing in; takes `Range`.
    download_url: String,
    /// Until when a download may begin.
    expires_at: Timestamp,
}

/// Asks for a URL to download a file or its thumbnail.
#[utoipa::path(
    operation_id = "createDownloadUrl",
    tag = "files",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file"), RenditionQuery),
    responses((status = 200, description = "Download it", body = DownloadUrlAnswer), SignedIn, WithQuery, Absent, Conflict, Always)
)]
#[get("/files/{id}/download-url")]
pub(super) async fn create_download_url(
    caller: Caller,
    id: Id<FileId>,
    query: ValidQuery<RenditionQuery>,
    origin: Origin,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (rendition, disposition) = query.0.parse()?;
    let grant = services
        .files
        .download_url(&caller.ctx, id.0, rendition, disposition)
        .await?;
    Ok(HttpResponse::Ok().json(DownloadUrlAnswer {
        success: Success,
        download_url: origin.absolute(&grant.url),
        expires_at: grant.expires_at.into(),
    }))
}
