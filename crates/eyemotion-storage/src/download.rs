//! Serving: only what has been verified, to its owner or to whoever holds a signed URL.

use crate::blob::{BlobError, BlobReader, Chunks, ObjectKey};
use crate::error::StorageError;
use crate::model::{Disposition, FileStatus, Rendition};
use crate::parts::{StorageParts, reader, system};
use crate::repository::stored::{self, Stored};
use crate::service::{DownloadGrant, SignedDownload};
use crate::signature::Permission;
use chrono::{DateTime, SubsecRound, Utc};
use data_encoding::HEXLOWER;
use eyemotion_core::{Ctx, FileId};
use futures_util::{StreamExt, stream};
use std::fmt;
use std::io;
use std::ops::Range;

/// MIME type of every thumbnail.
const THUMBNAIL_TYPE: &str = "image/jpeg";

/// Types that a browser might take for a page of ours, or run.
const NEVER_INLINE: [&str; 2] = ["image/svg+xml", "application/json"];

/// An opened file.
pub struct Download {
    /// Bytes.
    pub size: u64,
    /// What stands between the quotes of a strong ETag (RFC 9110 section 8.8.3): the SHA-256 of
    /// an original.
    pub etag: String,
    /// MIME type, verified.
    pub content_type: String,
    /// The name to save it under.
    pub file_name: String,
    /// What a browser is to do with it, safe for its type.
    pub disposition: Disposition,
    /// When the content came to be; whole seconds.
    pub modified: DateTime<Utc>,
    reader: Box<dyn BlobReader>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("size", &self.size)
            .field("etag", &self.etag)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

impl Download {
    /// The bytes of `range`. One that lies outside the file gives an error and no bytes.
    pub fn read(self, range: Range<u64>) -> Chunks {
        if range.start > range.end || range.end > self.size {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "a range outside the object");
            return stream::iter([Err(BlobError::Io(error))]).boxed();
        }
        self.reader.read(range)
    }
}

pub(crate) async fn download_url(
    parts: &StorageParts,
    ctx: &Ctx,
    id: FileId,
    rendition: Rendition,
    disposition: Disposition,
) -> Result<DownloadGrant, StorageError> {
    let file = find(parts, ctx, id).await?;
    let (_, sha256) = content(&file, rendition)?;
    let permission = Permission::Download {
        file: id,
        sha256: &sha256,
        rendition,
        disposition,
    };
    let expires_at = parts.clock.now().trunc_subsecs(0) + parts.config.download_ttl;
    Ok(DownloadGrant {
        url: parts.signer.url(&permission, expires_at),
        expires_at,
    })
}

pub(crate) async fn open(
    parts: &StorageParts,
    ctx: &Ctx,
    id: FileId,
    rendition: Rendition,
    disposition: Disposition,
) -> Result<Download, StorageError> {
    let file = find(parts, ctx, id).await?;
    open_stored(parts, file, rendition, disposition).await
}

pub(crate) async fn open_signed(
    parts: &StorageParts,
    ctx: &Ctx,
    get: &SignedDownload,
) -> Result<Download, StorageError> {
    let mut tx = parts.db.read(&system(ctx)).await?;
    let file = stored::find(&mut tx, get.file)
        .await?
        .ok_or(StorageError::DownloadUrlInvalid)?;
    drop(tx);
    let sha256 = file.sha256.ok_or(StorageError::DownloadUrlInvalid)?;
    let permission = Permission::Download {
        file: get.file,
        sha256: &sha256,
        rendition: get.rendition,
        disposition: get.disposition,
    };
    if !parts
        .signer
        .verify(&permission, get.expires, &get.signature)
    {
        return Err(StorageError::DownloadUrlInvalid);
    }
    if get.expires <= parts.clock.now().timestamp() {
        return Err(StorageError::DownloadUrlExpired);
    }
    open_stored(parts, file, get.rendition, get.disposition).await
}

/// The caller's own file. The row is read with the platform's rights for the person, who may not
/// see every column of it.
async fn find(parts: &StorageParts, ctx: &Ctx, id: FileId) -> Result<Stored, StorageError> {
    reader(ctx)?;
    let mut tx = parts.db.read_for(ctx).await?;
    stored::find(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)
}

/// The object behind a rendition and the original's SHA-256.
fn content(file: &Stored, rendition: Rendition) -> Result<(ObjectKey, [u8; 32]), StorageError> {
    if file.status == FileStatus::Purged {
        return Err(StorageError::FileNotFound);
    }
    let (true, Some(original), Some(sha256)) = (file.is_served(), file.original, file.sha256)
    else {
        return Err(StorageError::NotReady(file.status));
    };
    match rendition {
        Rendition::Original => Ok((original, sha256)),
        Rendition::Thumbnail => Ok((
            file.thumbnail.ok_or(StorageError::ThumbnailNotFound)?,
            sha256,
        )),
    }
}

async fn open_stored(
    parts: &StorageParts,
    file: Stored,
    rendition: Rendition,
    disposition: Disposition,
) -> Result<Download, StorageError> {
    let (key, sha256) = content(&file, rendition)?;
    let missing = || {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("{key} is not in the store"),
        )
    };
    let reader = parts
        .blobs
        .open(&key)
        .await?
        .ok_or_else(|| BlobError::Io(missing()))?;
    let digest = HEXLOWER.encode(&sha256);
    let (etag, content_type, file_name) = match rendition {
        Rendition::Original => (digest, file.mime_type, file.name),
        Rendition::Thumbnail => {
            let stem = file
                .name
                .rsplit_once('.')
                .map_or(file.name.as_str(), |(stem, _)| stem);
            (
                format!("{digest}-{}", key.leaf_name()),
                THUMBNAIL_TYPE.to_owned(),
                format!("{stem}.jpg"),
            )
        }
    };
    let is_safe = !NEVER_INLINE.contains(&content_type.as_str());
    Ok(Download {
        size: reader.size(),
        etag,
        content_type,
        file_name,
        disposition: if is_safe {
            disposition
        } else {
            Disposition::Attachment
        },
        modified: file
            .confirmed_at
            .unwrap_or(file.created_at)
            .trunc_subsecs(0),
        reader,
    })
}
