//! Taking an upload into the project: quota, credits, counters and the job, all or nothing.

use crate::error::StorageError;
use crate::holds;
use crate::jobs::ProcessFile;
use crate::model::FileStatus;
use crate::parts::{StorageParts, caller, system};
use crate::recovery;
use crate::repository::stored::{self, Stored};
use crate::repository::{files, projects, quotas, uploads};
use crate::service::Confirmed;
use eyemotion_core::{Credits, Ctx, FileId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::Activity;
use serde_json::json;

pub(crate) async fn confirm(
    parts: &StorageParts,
    ctx: &Ctx,
    id: FileId,
) -> Result<Confirmed, StorageError> {
    let owner = caller(ctx)?;
    let file = uploaded(parts, ctx, id).await?;
    let mut tx = parts.db.begin_for(ctx).await?;
    projects::lock_counters(&mut tx, file.project).await?;
    let file = stored::lock(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    let remaining = match file.status {
        FileStatus::Purged => return Err(StorageError::FileNotFound),
        _ if file.confirmed_at.is_some() => parts.credits.balance(&mut tx, owner).await?,
        FileStatus::Uploaded => take_in(parts, &mut tx, ctx, &file).await?,
        _ => return Err(refusal(parts, &file)),
    };
    let file = files::find(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    fail::fail_point!("storage.confirm.before_commit");
    tx.commit().await?;
    fail::fail_point!("storage.confirm.after_commit");
    Ok(Confirmed {
        file,
        remaining_credits: remaining,
    })
}

/// The file, once its bytes are known to lie in the store as declared. The store is asked outside
/// of any transaction.
async fn uploaded(parts: &StorageParts, ctx: &Ctx, id: FileId) -> Result<Stored, StorageError> {
    let mut tx = parts.db.read_for(ctx).await?;
    let mut file = stored::find(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    if file.confirmed_at.is_some() {
        return Ok(file);
    }
    if matches!(file.status, FileStatus::Pending | FileStatus::Uploading)
        && recovery::adopt(parts, &system(ctx), &file).await?
    {
        file = stored::find(&mut tx, id)
            .await?
            .ok_or(StorageError::FileNotFound)?;
    }
    let (FileStatus::Uploaded, Some(key)) = (file.status, file.original) else {
        return Err(refusal(parts, &file));
    };
    match parts.blobs.head(&key).await? {
        None => Err(StorageError::UploadMissing),
        Some(found) if found.size != file.size => Err(StorageError::SizeMismatch {
            declared: file.size,
            received: found.size,
        }),
        Some(_) if file.declared_sha256.is_some() && file.declared_sha256 != file.sha256 => {
            Err(StorageError::ChecksumMismatch)
        }
        Some(_) => Ok(file),
    }
}

/// Why a file that is not uploaded cannot be confirmed.
fn refusal(parts: &StorageParts, file: &Stored) -> StorageError {
    let now = parts.clock.now();
    match file.status {
        FileStatus::Purged => StorageError::FileNotFound,
        FileStatus::Uploading if file.is_leased(now) => StorageError::UploadInProgress,
        FileStatus::Pending | FileStatus::Uploading if !file.is_overdue(now) => {
            StorageError::UploadMissing
        }
        _ => StorageError::UploadExpired,
    }
}

/// Everything that has to happen together, locking in the order in which everybody does: project,
/// file, wallet, quota. Returns the balance afterwards.
async fn take_in(
    parts: &StorageParts,
    tx: &mut Tx,
    ctx: &Ctx,
    file: &Stored,
) -> Result<Credits, StorageError> {
    let now = parts.clock.now();
    if file.is_overdue(now) {
        return Err(StorageError::UploadExpired);
    }
    uploads::confirm(tx, file.id, now).await?;
    let remaining = holds::confirm(parts, tx, ctx, file).await?;
    if !quotas::settle(tx, file.id, file.size).await? {
        let text = format!("file {} is uploaded and has no reservation", file.id);
        return Err(DbError::Other(text.into()).into());
    }
    ProcessFile::enqueue(tx, &*parts.clock, file.id).await?;
    let activity = Activity::new("file.upload_confirmed", "file", file.id).with(json!({
        "project": file.project, "size": file.size, "credits": file.credits_cost,
    }));
    parts.activity.record(tx, ctx, activity).await?;
    Ok(remaining)
}
