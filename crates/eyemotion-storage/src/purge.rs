//! Deleting for good: a tombstone first, the object by a job, the row last.

use crate::holds;
use crate::jobs::PurgeFile;
use crate::model::FileStatus;
use crate::parts::StorageParts;
use crate::repository::quotas;
use crate::repository::stored::{self, Stored};
use eyemotion_core::Ctx;
use eyemotion_db::{DbError, Tx};

/// Makes a tombstone of a locked file. Its bytes count until the object is gone.
pub(crate) async fn entomb(
    parts: &StorageParts,
    tx: &mut Tx,
    ctx: &Ctx,
    file: &Stored,
) -> Result<(), DbError> {
    stored::entomb(tx, file.id).await?;
    holds::give_back(&*parts.credits, tx, ctx, file.owner, &[file.id]).await?;
    quotas::release(tx, file.id).await?;
    if counts_as_used(file) {
        quotas::doom(tx, file.owner, file.size).await?;
    }
    PurgeFile::enqueue(tx, &*parts.clock, file.owner, file.id).await
}

/// Whether a file's bytes are in its owner's `used_bytes`.
pub(crate) fn counts_as_used(file: &Stored) -> bool {
    file.confirmed_at.is_some() && !matches!(file.status, FileStatus::Purged | FileStatus::Rejected)
}
