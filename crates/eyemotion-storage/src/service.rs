//! What storage does, for whoever calls it: the crate's public page.

use crate::download::Download;
use crate::error::StorageError;
use crate::model::{Disposition, File, FileStatus, MediaKind, Progress, Rendition};
use crate::upload::Upload;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Ctx, FileId, Page, PageRequest, ProjectId};
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file that somebody wants to upload, as declared.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Where it goes; the caller's own project.
    pub project: ProjectId,
    /// 1 to 255 characters, no path separators, no control characters.
    pub file_name: String,
    /// Bytes, at least 1.
    pub file_size: u64,
    /// MIME type; must agree with the name's extension. Empty: the extension decides.
    pub file_type: String,
    /// SHA-256 of the content, if the client knows it; then anything else is refused.
    pub sha256: Option<[u8; 32]>,
}

/// Leave to upload one file once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadGrant {
    /// The file's id from now on.
    pub file: FileId,
    /// Where to send the bytes: path and query below the API's base, or an absolute URL where
    /// the object store takes uploads itself.
    pub url: String,
    /// The HTTP method: `PUT`.
    pub method: String,
    /// Headers that have to be sent, lower case: `content-type`.
    pub headers: BTreeMap<String, String>,
    /// What the confirmation will cost.
    pub credits_needed: Credits,
    /// Until when the upload may begin.
    pub expires_at: DateTime<Utc>,
}

/// The PUT that uses a grant.
#[derive(Clone, Debug)]
pub struct UploadRequest {
    /// From the URL's path.
    pub file: FileId,
    /// `expires` of the query: Unix seconds.
    pub expires: i64,
    /// `signature` of the query.
    pub signature: String,
    /// The `Content-Length` header, if there is one.
    pub content_length: Option<u64>,
    /// The `Content-Type` header, if there is one.
    pub content_type: Option<String>,
}

/// What has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of these.
    pub sha256: [u8; 32],
}

/// A confirmed file and what the person has left.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// The file, being verified or further.
    pub file: File,
    /// Credits that can be spent now.
    pub remaining_credits: Credits,
}

/// Which files of a project are wanted. The default leaves out what is in the trash or expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// In this state, the trash included.
    pub status: Option<FileStatus>,
    /// Of this kind.
    pub kind: Option<MediaKind>,
    /// Favourites only, or all others only.
    pub is_favorite: Option<bool>,
    /// With this tag.
    pub tag: Option<String>,
}

/// Changes to a file; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct FileChanges {
    /// The shown name, as in [`NewUpload::file_name`], with an extension that fits the type.
    pub name: Option<String>,
    /// At most 64 tags of 1 to 64 characters. Trimmed; repeated ones are kept once.
    pub tags: Option<Vec<String>>,
    /// Favourites are never deleted by the lifecycle.
    pub is_favorite: Option<bool>,
}

/// What became of a file that was deleted.
#[derive(Clone, Debug)]
pub enum Deletion {
    /// It lies in the trash and can be restored.
    Trashed(Box<File>),
    /// It is gone: it was in the trash already, or never became a usable file.
    Purged,
}

/// A URL that opens a file for anyone who holds it, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadGrant {
    /// Path and query below the API's base, or an absolute URL of the object store.
    pub url: String,
    /// Until when a download may begin.
    pub expires_at: DateTime<Utc>,
}

/// The GET that uses a [`DownloadGrant`].
#[derive(Clone, Debug)]
pub struct SignedDownload {
    /// From the URL's path.
    pub file: FileId,
    /// `rendition` of the query.
    pub rendition: Rendition,
    /// `disposition` of the query.
    pub disposition: Disposition,
    /// `expires` of the query: Unix seconds.
    pub expires: i64,
    /// `signature` of the query.
    pub signature: String,
}

/// Media files: uploaded, verified, processed, served.
///
/// A file of somebody else does not exist for the caller: [`StorageError::FileNotFound`].
/// `if_match` is the [`File::version`] that the caller last saw;
/// [`StorageError::VersionMismatch`] if it has changed since.
#[async_trait]
pub trait Files: Send + Sync {
    /// Checks type, size and credits, reserves quota and gives leave to upload. Credits are
    /// charged when the upload is confirmed. Heeds the `Idempotency-Key`.
    ///
    /// # Errors
    /// `Invalid`, `UnsupportedType`, `FileTooLarge`, `ProjectNotFound`, `InsufficientCredits`,
    /// `QuotaExceeded`.
    async fn upload_url(&self, ctx: &Ctx, upload: NewUpload) -> Result<UploadGrant, StorageError>;

    /// Opens the way for the bytes. The grant is the authority: `ctx` may be anonymous.
    ///
    /// # Errors
    /// `UploadUrlInvalid`, `UploadUrlExpired`, `UnsupportedType` for another content type,
    /// `SizeMismatch` for another length, `UploadInProgress`, `UploadAlreadyCompleted`,
    /// `UploadExpired`.
    async fn begin_upload(&self, ctx: &Ctx, put: UploadRequest) -> Result<Upload, StorageError>;

    /// Takes an upload into the project: settles quota, charges credits, starts processing.
    /// Repeating it answers the same and charges nothing.
    ///
    /// # Errors
    /// `FileNotFound`, `UploadMissing`, `UploadInProgress`, `UploadExpired`, `SizeMismatch`,
    /// `ChecksumMismatch`, `InsufficientCredits`.
    async fn confirm(&self, ctx: &Ctx, file: FileId) -> Result<Confirmed, StorageError>;

    /// One file.
    async fn get(&self, ctx: &Ctx, file: FileId) -> Result<File, StorageError>;

    /// The files of a project, newest first. `ProjectNotFound` if the caller has no such project.
    async fn list(
        &self,
        ctx: &Ctx,
        project: ProjectId,
        page: PageRequest,
        filter: FileFilter,
    ) -> Result<Page<File>, StorageError>;

    /// Changes name, tags or the favourite mark. `Invalid`, `VersionMismatch`.
    async fn update(
        &self,
        ctx: &Ctx,
        file: FileId,
        changes: FileChanges,
        if_match: Option<i64>,
    ) -> Result<File, StorageError>;

    /// Moves a file to the trash, where its bytes still count. A file that is in the trash
    /// already, or that never became usable, is purged. `NotReady` while it is being processed.
    async fn delete(
        &self,
        ctx: &Ctx,
        file: FileId,
        if_match: Option<i64>,
    ) -> Result<Deletion, StorageError>;

    /// Takes a file out of the trash. `NotReady` if it is not there.
    async fn restore(&self, ctx: &Ctx, file: FileId) -> Result<File, StorageError>;

    /// A signed URL for a file or its thumbnail. It ends with its time, with new content and
    /// when the file is deleted. `NotReady` before verification, `ThumbnailNotFound`.
    async fn download_url(
        &self,
        ctx: &Ctx,
        file: FileId,
        rendition: Rendition,
        disposition: Disposition,
    ) -> Result<DownloadGrant, StorageError>;

    /// Opens the caller's own file. `NotReady` before verification, `ThumbnailNotFound`.
    async fn open(
        &self,
        ctx: &Ctx,
        file: FileId,
        rendition: Rendition,
        disposition: Disposition,
    ) -> Result<Download, StorageError>;

    /// Opens what a [`DownloadGrant`] names; `ctx` may be anonymous. `DownloadUrlInvalid`,
    /// `DownloadUrlExpired`.
    async fn open_signed(&self, ctx: &Ctx, get: SignedDownload) -> Result<Download, StorageError>;

    /// How processing goes: the present state at once, then every change, until a state that
    /// processing does not leave.
    async fn events(
        &self,
        ctx: &Ctx,
        file: FileId,
    ) -> Result<BoxStream<'static, Progress>, StorageError>;
}
