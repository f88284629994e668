use crate::extract::{Caller, Id, ValidQuery};
use crate::failures::{Absent, Always, Conflict, SignedIn, WithQuery};
use crate::problem::{ApiError, Problem};
use crate::routes::storage::rendition::RenditionQuery;
use crate::routes::storage::serve;
use crate::services::Services;
use crate::wire::Binary;
use actix_web::{HttpRequest, HttpResponse, route, web};
use eyemotion_core::FileId;

/// Streams the caller's own file.
///
/// Takes `Range`, `If-Range` and `If-None-Match` (RFC 9110 sections 13 and 14).
#[utoipa::path(
    get,
    operation_id = "streamFile",
    tag = "storage",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The file"), RenditionQuery),
    responses(
        (status = 200, description = "The bytes, of the file's own type", content_type = "*/*", body = Binary, headers(("ETag" = String, description = "Of the bytes"))),
        (status = 206, description = "The range", content_type = "*/*", body = Binary, headers(("Content-Range" = String, description = "Which it is"))),
        (status = 304, description = "As it was"),
        (status = 416, description = "The range lies outside", body = Problem, content_type = "application/problem+json"),
        SignedIn, WithQuery, Absent, Conflict, Always,
    )
)]
#[route("/storage/files/{id}", method = "GET", method = "HEAD")]
pub(super) async fn stream_file(
    caller: Caller,
    req: HttpRequest,
    id: Id<FileId>,
    query: ValidQuery<RenditionQuery>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let (rendition, disposition) = query.0.parse()?;
    let download = services
        .files
        .open(&caller.ctx, id.0, rendition, disposition)
        .await?;
    serve::respond(&req, download)
}
