use crate::repository::jobs::{self, LeaseRow};
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// One go at a job, and the proof of holding its lease.
#[derive(Debug)]
pub struct Attempt {
    /// The job's id, the same in every attempt.
    pub id: Uuid,
    /// 1 for the first attempt.
    pub number: i32,
    /// The last attempt has this number.
    pub max: i32,
    /// Whom the work is for.
    pub owner: Option<UserId>,
    worker: String,
    completing: AtomicBool,
}

/// This attempt may not write.
#[derive(Debug, thiserror::Error)]
pub enum Fenced {
    /// The lease ran out and the job was taken over, or it is done already.
    #[error("another worker has taken the job over")]
    TakenOver,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Attempt {
    pub(crate) fn new(
        id: Uuid,
        number: i32,
        max: i32,
        owner: Option<UserId>,
        worker: String,
    ) -> Self {
        Self {
            id,
            number,
            max,
            owner,
            worker,
            completing: AtomicBool::new(false),
        }
    }

    /// Makes sure, to the end of `tx`, that nobody else takes this job: locks its row and checks
    /// that this attempt still holds the lease. `tx` is the system's or acts for the job's owner.
    ///
    /// # Errors
    /// [`Fenced::TakenOver`]: roll back, the work is somebody else's now.
    pub async fn fence(&self, tx: &mut Tx) -> Result<(), Fenced> {
        let held = jobs::lock(tx, self.lease()).await?;
        if held { Ok(()) } else { Err(Fenced::TakenOver) }
    }

    /// Deletes the job in the handler's own transaction, so that effect and completion commit
    /// together. Fences as [`Attempt::fence`] does. Return `Ok` after the commit.
    ///
    /// # Errors
    /// [`Fenced::TakenOver`]: roll back, the work is somebody else's now.
    pub async fn complete(&self, tx: &mut Tx) -> Result<(), Fenced> {
        self.completing.store(true, Ordering::Relaxed);
        let held = jobs::delete(tx, self.lease()).await?;
        if held { Ok(()) } else { Err(Fenced::TakenOver) }
    }

    pub(crate) fn lease(&self) -> LeaseRow<'_> {
        LeaseRow {
            id: self.id,
            attempts: self.number,
            worker: &self.worker,
        }
    }

    /// A missing row is then no sign of a lost lease.
    pub(crate) fn is_completing(&self) -> bool {
        self.completing.load(Ordering::Relaxed)
    }
}
