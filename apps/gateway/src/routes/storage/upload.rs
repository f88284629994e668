use crate::extract::{Guest, Id, ValidQuery};
use crate::failures::{Absent, Always, Conflict};
use crate::problem::{ApiError, Problem};
use crate::services::{Limits, Services};
use crate::wire::{Binary, Success};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, put, web};
use eyemotion_core::{ErrorCode, FileId};
use eyemotion_storage::UploadRequest;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The URL's own authority.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// Unix seconds.
    #[param(maximum = 9_007_199_254_740_991_i64)]
    expires: i64,
    /// Of everything the URL grants.
    signature: String,
}

/// What has arrived.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UploadAnswer {
    success: Success,
    message: &'static str,
    file_id: Uuid,
    /// Bytes.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    size: u64,
}

/// Uploads a file's bytes.
///
/// To the URL that `POST /files/upload-url` gave, with the headers it named; no sign-in. Bytes are
/// stored as they come. An upload that breaks off may be sent again while the URL is valid.
#[utoipa::path(
    operation_id = "uploadFile",
    tag = "storage",
    params(("fileId" = Uuid, Path, description = "The file"), UploadQuery),
    request_body(content = Binary, content_type = "*/*", description = "The bytes, with the declared type"),
    responses(
        (status = 200, description = "All bytes are here; confirm the file", body = UploadAnswer),
        (status = 400, description = "The bytes broke off, or a query parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The URL is not valid, or has expired", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "Nothing came for too long", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The upload was not finished in time", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not the declared type", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the declared size", body = Problem, content_type = "application/problem+json"),
        Absent, Conflict, Always,
    )
)]
#[put("/storage/upload/{fileId}")]
pub(super) async fn upload_file(
    guest: Guest,
    req: HttpRequest,
    id: Id<FileId>,
    query: ValidQuery<UploadQuery>,
    mut payload: web::Payload,
    services: web::Data<Services>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse, ApiError> {
    let text = |name: header::HeaderName| req.headers().get(name)?.to_str().ok();
    let put = UploadRequest {
        file: id.0,
        expires: query.0.expires,
        signature: query.0.signature,
        content_length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        content_type: text(header::CONTENT_TYPE).map(ToOwned::to_owned),
    };
    let mut upload = services.files.begin_upload(&guest.ctx, put).await?;
    while let Some(chunk) = tokio::time::timeout(limits.body_timeout, payload.next())
        .await
        .map_err(|_| {
            ApiError::new(
                ErrorCode::RequestTimeout,
                "Nothing came for too long; send it again.",
            )
        })?
    {
        let chunk = chunk.map_err(|error| {
            ApiError::new(
                ErrorCode::MalformedRequest,
                format!("The bytes broke off: {error}."),
            )
        })?;
        upload.write(chunk).await?;
    }
    let uploaded = upload.finish().await?;
    Ok(HttpResponse::Ok().json(UploadAnswer {
        success: Success,
        message: "Uploaded; confirm it to take it in.",
        file_id: id.0.0,
        size: uploaded.size,
    }))
}
