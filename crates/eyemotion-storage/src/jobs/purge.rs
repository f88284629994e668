use super::{PurgeFile, PurgeProject};
use crate::blob::FilePrefix;
use crate::model::FileStatus;
use crate::parts::StorageParts;
use crate::repository::{quotas, stored, sweeps};
use async_trait::async_trait;
use eyemotion_core::{Ctx, FileId, UserId};
use eyemotion_jobs::{Attempt, Handler, JobError};
use std::sync::Arc;

const BATCH: i64 = 100;

/// The object first, the row last: whatever stops in between is done again.
pub(super) struct Purger(pub(super) Arc<StorageParts>);

fn system() -> Ctx {
    Ctx::system("storage.purge")
}

/// Whether the objects of a file in this state are to go.
const fn is_doomed(status: FileStatus) -> bool {
    matches!(
        status,
        FileStatus::Purged | FileStatus::Rejected | FileStatus::Expired
    )
}

#[async_trait]
impl Handler<PurgeFile> for Purger {
    async fn run(&self, job: PurgeFile, attempt: &Attempt) -> Result<(), JobError> {
        self.purge(attempt, job.owner, job.file).await
    }
}

#[async_trait]
impl Handler<PurgeProject> for Purger {
    async fn run(&self, job: PurgeProject, attempt: &Attempt) -> Result<(), JobError> {
        loop {
            let mut tx = self.0.db.read(&system()).await?;
            let files = sweeps::tombstones_of(&mut tx, job.project, BATCH).await?;
            drop(tx);
            if files.is_empty() {
                return Ok(());
            }
            for (file, owner) in files {
                self.purge(attempt, owner, file).await?;
            }
        }
    }
}

impl Purger {
    async fn purge(&self, attempt: &Attempt, owner: UserId, id: FileId) -> Result<(), JobError> {
        let mut tx = self.0.db.read(&system()).await?;
        let seen = stored::find(&mut tx, id).await?;
        drop(tx);
        // No state leads out of these, so what is doomed now stays so.
        if seen.is_some_and(|file| !is_doomed(file.status)) {
            return Ok(());
        }
        fail::fail_point!("storage.purge.before_delete");
        self.0
            .blobs
            .delete_file(&FilePrefix { owner, file: id })
            .await?;
        fail::fail_point!("storage.purge.after_delete");

        let mut tx = self.0.db.begin(&system()).await?;
        attempt.fence(&mut tx).await?;
        let Some(file) = stored::lock(&mut tx, id).await? else {
            return Ok(());
        };
        let is_pending = file.confirmed_at.is_some() && file.original.is_some();
        if is_pending && matches!(file.status, FileStatus::Purged | FileStatus::Rejected) {
            quotas::forget(&mut tx, file.owner, file.size).await?;
        }
        if file.status == FileStatus::Purged {
            quotas::release(&mut tx, id).await?;
            stored::delete(&mut tx, id).await?;
        } else {
            stored::clear_keys(&mut tx, id).await?;
        }
        tx.commit().await?;
        fail::fail_point!("storage.purge.after_commit");
        Ok(())
    }
}
