use crate::extract::etag;
use crate::names::{FileStatus, FileType, ThumbnailStatus};
use crate::wire::{Success, Timestamp, seconds};
use actix_web::HttpResponse;
use data_encoding::HEXLOWER;
use eyemotion_storage::File;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A media file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    id: Uuid,
    project_id: Uuid,
    user_id: Uuid,
    /// The shown name.
    filename: String,
    /// The name it was uploaded under.
    original_name: String,
    #[schema(value_type = FileType)]
    file_type: &'static str,
    #[schema(example = "video/mp4")]
    mime_type: String,
    /// Bytes.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    file_size: u64,
    /// Of the content, hexadecimal; once it has arrived.
    sha256: Option<String>,
    #[schema(value_type = FileStatus)]
    processing_status: &'static str,
    /// Why it is failed, rejected or quarantined.
    processing_error: Option<String>,
    /// Percent.
    #[schema(maximum = 100)]
    processing_progress: u8,
    #[schema(value_type = ThumbnailStatus)]
    thumbnail_status: &'static str,
    /// Seconds.
    duration: Option<f64>,
    /// `width`x`height` in pixels.
    #[schema(example = "1920x1080")]
    resolution: Option<String>,
    width: Option<i32>,
    height: Option<i32>,
    /// Frames a second, an exact fraction.
    #[schema(example = "24000/1001")]
    fps: Option<String>,
    #[schema(example = "h264")]
    codec: Option<String>,
    /// Bits a second.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    bitrate: Option<i64>,
    /// Everything that was found in the file: container and tracks.
    #[schema(value_type = Object)]
    media: Value,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_cost: i64,
    #[schema(value_type = Object)]
    metadata: Value,
    tags: Vec<String>,
    is_favorite: bool,
    /// Until when it can be uploaded, or confirmed once uploaded.
    upload_expires_at: Option<Timestamp>,
    confirmed_at: Option<Timestamp>,
    trashed_at: Option<Timestamp>,
    /// Counts changes; the ETag.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<File> for FileView {
    fn from(file: File) -> Self {
        Self {
            id: file.id.0,
            project_id: file.project.0,
            user_id: file.owner.0,
            filename: file.name,
            original_name: file.original_name,
            file_type: file.kind.as_str(),
            mime_type: file.mime_type,
            file_size: file.size,
            sha256: file.sha256.map(|hash| HEXLOWER.encode(&hash)),
            processing_status: file.status.as_str(),
            processing_error: file.error,
            processing_progress: file.progress,
            thumbnail_status: file.thumbnail.as_str(),
            duration: file.duration_us.map(seconds),
            resolution: file.width.zip(file.height).map(|(w, h)| format!("{w}x{h}")),
            width: file.width,
            height: file.height,
            fps: file.frame_rate.map(|rate| rate.to_string()),
            codec: file.codec,
            bitrate: file.bit_rate,
            media: file.media,
            credits_cost: file.credits_cost.0,
            metadata: file.metadata,
            tags: file.tags,
            is_favorite: file.is_favorite,
            upload_expires_at: file.upload_expires_at.map(Timestamp),
            confirmed_at: file.confirmed_at.map(Timestamp),
            trashed_at: file.trashed_at.map(Timestamp),
            version: file.version,
            created_at: file.created_at.into(),
            updated_at: file.updated_at.into(),
        }
    }
}

/// One file.
#[derive(Serialize, ToSchema)]
pub struct FileAnswer {
    success: Success,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    file: FileView,
}

/// Answers with one file, its version as the ETag.
pub fn file(message: Option<&'static str>, file: File) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(file.version))
        .json(FileAnswer {
            success: Success,
            message,
            file: file.into(),
        })
}
