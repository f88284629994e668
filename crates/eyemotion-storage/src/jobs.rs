//! What happens to files without anybody waiting.

mod inspect;
mod process;
mod purge;
mod reconcile;
mod sweep;

use crate::parts::StorageParts;
use eyemotion_core::{Clock, FileId, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_jobs::{Enqueue, Job, Workers, enqueue};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Looks at a confirmed file: verifies, probes, makes a thumbnail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessFile {
    /// Which one.
    pub file: FileId,
}

impl Job for ProcessFile {
    const KIND: &'static str = "files.process";
    const QUEUE: &'static str = "media";
    const TIMEOUT: Duration = Duration::from_mins(10);
}

impl ProcessFile {
    pub(crate) async fn enqueue(
        tx: &mut Tx,
        clock: &dyn Clock,
        file: FileId,
    ) -> Result<(), DbError> {
        let options = Enqueue::new().unique_key(format!("{}:{file}", Self::KIND));
        enqueue(tx, clock, &Self { file }, options).await?;
        Ok(())
    }
}

/// Deletes the objects of a file that is purged, rejected or expired, and a purged one's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PurgeFile {
    /// Whose it was.
    pub owner: UserId,
    /// Which one.
    pub file: FileId,
}

impl Job for PurgeFile {
    const KIND: &'static str = "files.purge";
    const MAX_ATTEMPTS: i32 = 20;
}

impl PurgeFile {
    pub(crate) async fn enqueue(
        tx: &mut Tx,
        clock: &dyn Clock,
        owner: UserId,
        file: FileId,
    ) -> Result<(), DbError> {
        let options = Enqueue::new()
            .unique_key(format!("{}:{file}", Self::KIND))
            .owner(owner);
        enqueue(tx, clock, &Self { owner, file }, options).await?;
        Ok(())
    }
}

/// The same for every tombstone of a deleted project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PurgeProject {
    /// Which one.
    pub project: ProjectId,
}

impl Job for PurgeProject {
    const KIND: &'static str = "files.purge_project";
    const MAX_ATTEMPTS: i32 = 20;
    const TIMEOUT: Duration = Duration::from_hours(1);
}

impl PurgeProject {
    pub(crate) async fn enqueue(
        tx: &mut Tx,
        clock: &dyn Clock,
        owner: UserId,
        project: ProjectId,
    ) -> Result<(), DbError> {
        let options = Enqueue::new()
            .unique_key(format!("{}:{project}", Self::KIND))
            .owner(owner);
        enqueue(tx, clock, &Self { project }, options).await?;
        Ok(())
    }
}

/// Ends uploads that nobody finishes, empties the trash after its time, sweeps up what crashes
/// have left in the staging area.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SweepUploads {}

impl Job for SweepUploads {
    const KIND: &'static str = "files.sweep";
}

/// Compares the object store with the database, both ways: objects without a row are deleted,
/// rows without an object are reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReconcileObjects {}

impl Job for ReconcileObjects {
    const KIND: &'static str = "files.reconcile";
    const TIMEOUT: Duration = Duration::from_hours(1);
}

/// Adds the handlers and schedules of storage. The queue `media` runs decoders: two jobs at once
/// are plenty for a machine of two cores.
pub fn workers(workers: Workers, parts: &Arc<StorageParts>) -> Workers {
    workers
        .register::<ProcessFile>(process::Processor::new(Arc::clone(parts)))
        .register::<PurgeFile>(purge::Purger(Arc::clone(parts)))
        .register::<PurgeProject>(purge::Purger(Arc::clone(parts)))
        .register::<SweepUploads>(sweep::Sweeper(Arc::clone(parts)))
        .register::<ReconcileObjects>(reconcile::Reconciler(Arc::clone(parts)))
        .schedule("storage.sweep", "*/5 * * * *", &SweepUploads {})
        .schedule("storage.reconcile", "17 3 * * *", &ReconcileObjects {})
}
