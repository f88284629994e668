use crate::extract::{Caller, IdempotencyHeader, Origin, ValidJson};
use crate::failures::{Absent, Always, Exhausted, SignedIn, WithBody};
use crate::problem::ApiError;
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, post, web};
use eyemotion_core::{FieldError, ProjectId};
use eyemotion_storage::NewUpload;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A file that somebody wants to upload.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UploadUrlBody {
    project_id: Uuid,
    /// Its extension must fit its type.
    #[schema(min_length = 1, max_length = 255, example = "clip.mp4")]
    file_name: String,
    /// Bytes.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    file_size: u64,
    /// MIME type.
    #[schema(example = "video/mp4")]
    file_type: String,
    /// SHA-256 of the content, 64 hexadecimal digits; then anything else is refused.
    #[schema(min_length = 64, max_length = 64)]
    sha256: Option<String>,
}

/// How to upload it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UploadUrlAnswer {
    success: Success,
    /// Works once, for this file, size and type.
    upload_url: String,
    /// The HTTP method.
    #[schema(example = "PUT")]
    method: String,
    /// Headers that have to be sent.
    headers: BTreeMap<String, String>,
    file_id: Uuid,
    /// What the confirmation will cost.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_needed: i64,
    /// Until when the upload may begin.
    expires_at: Timestamp,
}

/// Asks for leave to upload a file.
///
/// Checks type, size and credits and reserves storage. Then PUT the bytes to `uploadUrl` and
/// confirm; credits are charged only then.
#[utoipa::path(
    operation_id = "createUploadUrl",
    tag = "files",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body = UploadUrlBody,
    responses((status = 201, description = "Upload it", body = UploadUrlAnswer), SignedIn, WithBody, Exhausted, Absent, Always)
)]
#[post("/files/upload-url")]
pub(super) async fn create_upload_url(
    caller: Caller,
    origin: Origin,
    body: ValidJson<UploadUrlBody>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let ctx = caller.idempotent(&body)?;
    let grant = services
        .files
        .upload_url(&ctx, body.value.try_into()?)
        .await?;
    Ok(HttpResponse::Created().json(UploadUrlAnswer {
        success: Success,
        upload_url: origin.absolute(&grant.url),
        method: grant.method,
        headers: grant.headers,
        file_id: grant.file.0,
        credits_needed: grant.credits_needed.0,
        expires_at: grant.expires_at.into(),
    }))
}

impl TryFrom<UploadUrlBody> for NewUpload {
    type Error = ApiError;

    fn try_from(body: UploadUrlBody) -> Result<Self, ApiError> {
        let sha256 = body.sha256.as_deref().map(parse_sha256).transpose()?;
        Ok(Self {
            project: ProjectId(body.project_id),
            file_name: body.file_name,
            file_size: body.file_size,
            file_type: body.file_type,
            sha256,
        })
    }
}

fn parse_sha256(text: &str) -> Result<[u8; 32], ApiError> {
    let digit = |index: usize| text.get(index * 2..index * 2 + 2);
    let byte = |index| digit(index).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    let hexadecimal = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    bytes
        .filter(|_| hexadecimal)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            let detail = "must be 64 hexadecimal digits";
            ApiError::invalid(vec![FieldError::new("/sha256", "invalid", detail)])
        })
}
