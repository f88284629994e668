use super::{ProcessFile, PurgeFile, SweepUploads};
use crate::model::FileStatus;
use crate::parts::StorageParts;
use crate::repository::stored::{self, Stored};
use crate::repository::{quotas, sweeps, uploads};
use crate::{holds, purge, recovery};
use async_trait::async_trait;
use chrono::Duration;
use eyemotion_core::{Ctx, FileId};
use eyemotion_jobs::{Attempt, Handler, JobError};
use std::sync::Arc;

/// Files of each sort in one sweep; the next one comes in minutes.
const BATCH: i64 = 500;
/// What has waited this long for its job has lost it, or has it still: then a second is not added.
const JOB_OVERDUE: Duration = Duration::hours(1);

pub(super) struct Sweeper(pub(super) Arc<StorageParts>);

fn system() -> Ctx {
    Ctx::system("storage.sweep")
}

#[async_trait]
impl Handler<SweepUploads> for Sweeper {
    async fn run(&self, _: SweepUploads, _: &Attempt) -> Result<(), JobError> {
        let parts = &*self.0;
        let now = parts.clock.now();
        let grace = parts.config.leftover_grace;

        let mut tx = parts.db.read(&system()).await?;
        let abandoned = sweeps::abandoned_uploads(&mut tx, now, BATCH).await?;
        let trash = sweeps::old_trash(&mut tx, now - parts.config.trash_retention, BATCH).await?;
        let expired = sweeps::old_expired(&mut tx, now - grace, BATCH).await?;
        let tombstones = sweeps::old_tombstones(&mut tx, now - JOB_OVERDUE, BATCH).await?;
        let stalled = sweeps::stalled(&mut tx, now - JOB_OVERDUE, BATCH).await?;
        drop(tx);

        for id in &abandoned {
            Box::pin(self.end_upload(*id)).await?;
        }
        for id in &trash {
            self.entomb(*id, FileStatus::Trashed).await?;
        }
        for id in &expired {
            self.entomb(*id, FileStatus::Expired).await?;
        }
        let mut tx = parts.db.begin(&system()).await?;
        for (file, owner) in &tombstones {
            PurgeFile::enqueue(&mut tx, &*parts.clock, *owner, *file).await?;
        }
        for (file, _) in &stalled {
            ProcessFile::enqueue(&mut tx, &*parts.clock, *file).await?;
        }
        tx.commit().await?;
        let staged = parts.blobs.discard_stale_staging(now - grace).await?;
        tracing::info!(
            abandoned = abandoned.len(),
            trash = trash.len(),
            expired = expired.len(),
            tombstones = tombstones.len(),
            stalled = stalled.len(),
            staged,
            "swept storage"
        );
        Ok(())
    }
}

impl Sweeper {
    /// An upload whose writer is gone may be tried again while its URL works; then it expires.
    async fn end_upload(&self, id: FileId) -> Result<(), JobError> {
        let parts = &*self.0;
        let ctx = system();
        let mut tx = parts.db.read(&ctx).await?;
        let Some(file) = stored::find(&mut tx, id).await? else {
            return Ok(());
        };
        drop(tx);
        let has_arrived = matches!(file.status, FileStatus::Pending | FileStatus::Uploading)
            && recovery::adopt(parts, &ctx, &file).await?;
        if has_arrived {
            return Ok(());
        }
        let mut tx = parts.db.begin(&ctx).await?;
        let Some(file) = stored::lock(&mut tx, id).await? else {
            return Ok(());
        };
        if !self.is_abandoned(&file) {
            return Ok(());
        }
        let now = parts.clock.now();
        if file.is_overdue(now) {
            stored::set_status(&mut tx, id, FileStatus::Expired).await?;
            holds::give_back(&*parts.credits, &mut tx, &ctx, file.owner, &[id]).await?;
            quotas::release(&mut tx, id).await?;
            PurgeFile::enqueue(&mut tx, &*parts.clock, file.owner, id).await?;
        } else if let Some(token) = file.lease_token {
            uploads::abandon(&mut tx, id, token).await?;
        }
        tx.commit().await?;
        if let Some(token) = file.lease_token {
            parts.blobs.discard_staging(token).await?;
        }
        Ok(())
    }

    fn is_abandoned(&self, file: &Stored) -> bool {
        let now = self.0.clock.now();
        match file.status {
            FileStatus::Pending | FileStatus::Uploaded => file.is_overdue(now),
            FileStatus::Uploading => !file.is_leased(now),
            _ => false,
        }
    }

    async fn entomb(&self, id: FileId, from: FileStatus) -> Result<(), JobError> {
        let ctx = system();
        let mut tx = self.0.db.begin(&ctx).await?;
        if let Some(file) = stored::lock(&mut tx, id)
            .await?
            .filter(|file| file.status == from)
        {
            purge::entomb(&self.0, &mut tx, &ctx, &file).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
