//! The PUT: bytes on their way into the store, under a lease.

use crate::blob::{BlobStore, StagedObject, Staging};
use crate::error::StorageError;
use crate::holds;
use crate::model::FileStatus;
use crate::parts::{StorageParts, system};
use crate::recovery;
use crate::repository::stored::{self, Stored};
use crate::repository::uploads::{self, Arrival};
use crate::service::{UploadRequest, Uploaded};
use crate::signature::Permission;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use eyemotion_core::Ctx;
use eyemotion_media::MediaType;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) async fn begin(
    parts: &Arc<StorageParts>,
    ctx: &Ctx,
    put: &UploadRequest,
) -> Result<Upload, StorageError> {
    let ctx = system(ctx);
    let mut tx = parts.db.read(&ctx).await?;
    let file = stored::find(&mut tx, put.file)
        .await?
        .ok_or(StorageError::UploadUrlInvalid)?;
    drop(tx);
    let permission = Permission::Upload {
        file: file.id,
        size: file.size,
        mime_type: &file.mime_type,
    };
    if !parts
        .signer
        .verify(&permission, put.expires, &put.signature)
    {
        return Err(StorageError::UploadUrlInvalid);
    }
    let now = parts.clock.now();
    if put.expires <= now.timestamp() {
        return Err(StorageError::UploadUrlExpired);
    }
    check_status(&file, now)?;
    check_headers(&file, put)?;
    if file.status == FileStatus::Uploading && recovery::adopt(parts, &ctx, &file).await? {
        return Err(StorageError::UploadAlreadyCompleted);
    }
    let lease = Lease::claim(Arc::clone(parts), ctx, file).await?;
    fail::fail_point!("storage.upload.claimed");
    match parts.blobs.stage(lease.token).await {
        Ok(staging) => Ok(Upload {
            lease,
            staging: Some(staging),
            received: 0,
        }),
        Err(error) => {
            lease.abandon().await;
            Err(error.into())
        }
    }
}

fn check_status(file: &Stored, now: DateTime<Utc>) -> Result<(), StorageError> {
    match file.status {
        FileStatus::Uploading if file.is_leased(now) => Err(StorageError::UploadInProgress),
        FileStatus::Pending | FileStatus::Uploading => Ok(()),
        FileStatus::Expired => Err(StorageError::UploadExpired),
        FileStatus::Purged => Err(StorageError::UploadUrlInvalid),
        _ => Err(StorageError::UploadAlreadyCompleted),
    }
}

fn check_headers(file: &Stored, put: &UploadRequest) -> Result<(), StorageError> {
    let sent = put.content_type.as_deref().unwrap_or_default();
    let essence = sent
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_declared = essence == file.mime_type
        || MediaType::of_mime(&file.mime_type)
            .is_some_and(|declared| declared.aliases.contains(&essence.as_str()));
    if !is_declared {
        let expected = &file.mime_type;
        let text = format!("this URL takes {expected}; send it as the Content-Type");
        return Err(StorageError::UnsupportedType(text));
    }
    match put.content_length {
        Some(received) if received != file.size => Err(StorageError::SizeMismatch {
            declared: file.size,
            received,
        }),
        _ => Ok(()),
    }
}

/// The right to write one file's bytes. A row and not a lock: it outlives no crash for long, and
/// holds no connection.
struct Lease {
    parts: Arc<StorageParts>,
    ctx: Ctx,
    file: Stored,
    token: Uuid,
    until: DateTime<Utc>,
    renew_at: DateTime<Utc>,
    /// Until when the upload's credits are known to be set aside.
    held_until: DateTime<Utc>,
}

impl Lease {
    async fn claim(parts: Arc<StorageParts>, ctx: Ctx, file: Stored) -> Result<Self, StorageError> {
        let now = parts.clock.now();
        let token = parts.clock.new_id();
        let until = now + parts.config.lease;
        let mut tx = parts.db.begin(&ctx).await?;
        if !uploads::claim(&mut tx, file.id, token, now, until).await? {
            let file = stored::find(&mut tx, file.id)
                .await?
                .ok_or(StorageError::UploadUrlInvalid)?;
            check_status(&file, now)?;
            return Err(StorageError::UploadInProgress);
        }
        tx.commit().await?;
        let renew_at = now + parts.config.lease_renewal;
        Ok(Self {
            parts,
            ctx,
            file,
            token,
            until,
            renew_at,
            held_until: now,
        })
    }

    /// Renews when it is time to. While the lease still runs, a database that is away for a
    /// moment does not end an upload of hours.
    async fn keep(&mut self, received: u64) -> Result<(), StorageError> {
        let now = self.parts.clock.now();
        if now < self.renew_at {
            return Ok(());
        }
        match Box::pin(self.renew(received)).await {
            Err(StorageError::Db(error)) if now < self.until => {
                tracing::warn!(%error, file = %self.file.id, "cannot renew the lease of an upload");
                self.renew_at = now + self.parts.config.lease_renewal / 4;
                Ok(())
            }
            result => result,
        }
    }

    /// Renews while `work` is going on: gigabytes take longer to sync than a lease lasts.
    async fn keep_during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, StorageError> {
        let pause = self.parts.config.lease_renewal.to_std().unwrap_or_default();
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(pause, work.as_mut()).await {
                Ok(done) => return Ok(done),
                Err(_) => Box::pin(self.renew(self.file.size)).await?,
            }
        }
    }

    async fn renew(&mut self, received: u64) -> Result<(), StorageError> {
        let now = self.parts.clock.now();
        let until = now + self.parts.config.lease;
        let mut tx = self.parts.db.begin(&self.ctx).await?;
        if !uploads::renew(&mut tx, self.file.id, self.token, until, received).await? {
            return Err(StorageError::UploadInProgress);
        }
        let confirm_until = until + self.parts.config.confirm_ttl;
        let extends = self.held_until < confirm_until;
        if extends {
            let later = holds::upload_until(&self.parts, confirm_until);
            holds::extend_upload(&self.parts, &mut tx, &self.file, later).await?;
        }
        tx.commit().await?;
        if extends {
            self.held_until = holds::upload_until(&self.parts, confirm_until);
        }
        self.until = until;
        self.renew_at = now + self.parts.config.lease_renewal;
        Ok(())
    }

    /// Lets the client try again with the same URL. What cannot be noted runs out by itself.
    async fn abandon(&self) {
        let abandoned = async {
            let mut tx = self.parts.db.begin(&self.ctx).await?;
            uploads::abandon(&mut tx, self.file.id, self.token).await?;
            tx.commit().await
        };
        if let Err(error) = abandoned.await {
            tracing::warn!(%error, file = %self.file.id, "cannot give up the lease of an upload");
        }
    }
}

/// An upload under way. Dropped before [`Upload::finish`], or after any error, it leaves nothing
/// behind, and the URL works again until it expires.
pub struct Upload {
    lease: Lease,
    staging: Option<Box<dyn Staging>>,
    received: u64,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("file", &self.lease.file.id)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl Upload {
    /// Takes the next bytes of the body. They are not durable before [`Upload::finish`].
    ///
    /// # Errors
    /// `SizeMismatch` as soon as there are more than declared, `UploadInProgress` if another
    /// upload has taken over, `Blob` if the store fails.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        let result = self.append(bytes).await;
        if result.is_err() {
            self.abort().await;
        }
        result
    }

    async fn append(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        let received = self.received + bytes.len() as u64;
        let declared = self.lease.file.size;
        if received > declared {
            return Err(StorageError::SizeMismatch { declared, received });
        }
        let staging = self
            .staging
            .as_mut()
            .ok_or(StorageError::UploadInProgress)?;
        staging.append(bytes).await?;
        self.received = received;
        fail::fail_point!("storage.upload.mid_write");
        self.lease.keep(received).await
    }

    /// All bytes are here: makes them durable under their key and notes it.
    ///
    /// # Errors
    /// `SizeMismatch` if some are missing, `ChecksumMismatch`, `UploadInProgress`, `Blob`.
    pub async fn finish(mut self) -> Result<Uploaded, StorageError> {
        let result = match self.seal().await {
            Ok(sealed) => Box::pin(self.store(sealed)).await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.abort().await;
        }
        result
    }

    async fn seal(&mut self) -> Result<StagedObject, StorageError> {
        let (declared, received) = (self.lease.file.size, self.received);
        if received != declared {
            return Err(StorageError::SizeMismatch { declared, received });
        }
        let staging = self
            .staging
            .as_mut()
            .ok_or(StorageError::UploadInProgress)?;
        let sealed = self.lease.keep_during(staging.seal()).await??;
        match self.lease.file.declared_sha256 {
            Some(declared) if declared != sealed.sha256 => Err(StorageError::ChecksumMismatch),
            _ => Ok(sealed),
        }
    }

    async fn store(&mut self, sealed: StagedObject) -> Result<Uploaded, StorageError> {
        // Syncing may have taken longer than the lease.
        self.lease.renew(sealed.size).await?;
        let staging = self.staging.take().ok_or(StorageError::UploadInProgress)?;
        let key = self.lease.file.prefix().original(self.lease.token);
        staging.commit(&key).await?;
        fail::fail_point!("storage.upload.after_rename");
        let Lease {
            parts,
            ctx,
            file,
            token,
            ..
        } = &self.lease;
        let arrival = Arrival {
            key: key.to_string(),
            size: sealed.size,
            sha256: &sealed.sha256,
            confirm_until: parts.clock.now() + parts.config.confirm_ttl,
        };
        let mut tx = parts.db.begin(ctx).await?;
        if uploads::complete(&mut tx, file.id, *token, &arrival).await? {
            let later = holds::upload_until(parts, arrival.confirm_until);
            holds::extend_upload(parts, &mut tx, file, later).await?;
            fail::fail_point!("storage.upload.before_uploaded");
            tx.commit().await?;
            fail::fail_point!("storage.upload.after_uploaded");
        } else if stored::find(&mut tx, file.id)
            .await?
            .is_none_or(|file| file.original != Some(key))
        {
            // Nobody counts on this object, and nobody ever will.
            discard_version(&*parts.blobs, file, *token).await;
            return Err(StorageError::UploadInProgress);
        }
        Ok(Uploaded {
            size: sealed.size,
            sha256: sealed.sha256,
        })
    }

    async fn abort(&mut self) {
        // Without a staging there is nothing to try again: the object may lie under its key.
        if self.staging.take().is_some() {
            Box::pin(self.lease.abandon()).await;
        }
    }
}

async fn discard_version(blobs: &dyn BlobStore, file: &Stored, version: Uuid) {
    if let Err(error) = blobs.delete_version(&file.prefix(), version).await {
        tracing::warn!(%error, file = %file.id, "cannot delete a superseded upload; a sweep will");
    }
}

impl Drop for Upload {
    /// The client has gone away.
    fn drop(&mut self) {
        let Some(staging) = self.staging.take() else {
            return;
        };
        drop(staging);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let lease = Lease {
            parts: Arc::clone(&self.lease.parts),
            ctx: self.lease.ctx.clone(),
            file: self.lease.file.clone(),
            ..self.lease
        };
        runtime.spawn(async move { lease.abandon().await });
    }
}
