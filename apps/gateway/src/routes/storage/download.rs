use crate::extract::{Guest, Id, ValidQuery};
use crate::failures::{Absent, Always, Conflict, WithQuery};
use crate::names;
use crate::problem::{ApiError, Problem};
use crate::routes::storage::rendition::RenditionQuery;
use crate::routes::storage::serve;
use crate::services::Services;
use crate::wire::Binary;
use actix_web::{HttpRequest, HttpResponse, route, web};
use eyemotion_core::FileId;
use eyemotion_storage::SignedDownload;
use serde::Deserialize;
use utoipa::IntoParams;

/// The URL's own authority.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DownloadQuery {
    /// Which form of the file.
    #[param(inline, value_type = Option<names::Rendition>)]
    rendition: Option<String>,
    /// attachment to save it, inline to show it.
    #[param(inline, value_type = Option<names::Disposition>)]
    disposition: Option<String>,
    /// Unix seconds.
    #[param(maximum = 9_007_199_254_740_991_i64)]
    expires: i64,
    /// Of everything the URL grants.
    signature: String,
}

/// Downloads a file by a signed URL.
///
/// To be used as `GET /files/{id}/download-url` gave it; no sign-in. Takes `Range`, `If-Range` and
/// `If-None-Match` (RFC 9110 sections 13 and 14).
#[utoipa::path(
    get,
    operation_id = "downloadFile",
    tag = "storage",
    params(("fileId" = Uuid, Path, description = "The file"), DownloadQuery),
    responses(
        (status = 200, description = "The bytes, of the file's own type", content_type = "*/*", body = Binary, headers(("ETag" = String, description = "Of the bytes"))),
        (status = 206, description = "The range", content_type = "*/*", body = Binary, headers(("Content-Range" = String, description = "Which it is"))),
        (status = 304, description = "As it was"),
        (status = 403, description = "The URL is not valid, or has expired", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "The range lies outside", body = Problem, content_type = "application/problem+json"),
        WithQuery, Absent, Conflict, Always,
    )
)]
#[route("/storage/download/{fileId}", method = "GET", method = "HEAD")]
pub(super) async fn download_file(
    guest: Guest,
    req: HttpRequest,
    id: Id<FileId>,
    query: ValidQuery<DownloadQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let DownloadQuery {
        rendition,
        disposition,
        expires,
        signature,
    } = query.0;
    let (rendition, disposition) = RenditionQuery::new(rendition, disposition).parse()?;
    let get = SignedDownload {
        file: id.0,
        rendition,
        disposition,
        expires,
        signature,
    };
    let download = services.files.open_signed(&guest.ctx, get).await?;
    serve::respond(&req, download)
}
