use crate::extract::Departing;
use crate::failures::{Always, SignedIn};
use crate::problem::{ApiError, Problem};
use crate::services::Services;
use crate::wire::Binary;
use actix_web::http::header::{
    ContentDisposition, ContentEncoding, DispositionParam, DispositionType,
};
use actix_web::{HttpResponse, post, web};
use futures_util::TryStreamExt;

/// Hands out everything that is kept about the caller.
///
/// A ZIP archive of lists (one JSON object a line), without secrets; the media themselves are
/// downloaded file by file, `files.ndjson` says where. Needs a recent proof of who one is. If
/// something fails on the way, the connection breaks and the archive has no end.
#[utoipa::path(
    operation_id = "exportAccount",
    tag = "account",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The archive", content_type = "application/zip", body = Binary, headers(("Content-Disposition" = String, description = "What to call it"))),
        (status = 403, description = "Prove once more who you are", body = Problem, content_type = "application/problem+json"),
        SignedIn, Always,
    )
)]
#[post("/auth/account/export")]
pub(super) async fn export_account(
    caller: Departing,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let export = services.privacy.export(&caller.ctx).await?;
    let bytes = export
        .bytes
        .inspect_err(|error| tracing::error!(%error, "an export broke off"));
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(export.file_name)],
    };
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header(disposition)
        // It is compressed already.
        .insert_header(ContentEncoding::Identity)
        .streaming(bytes))
}
