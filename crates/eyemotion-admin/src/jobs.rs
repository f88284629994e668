use crate::repository::activity_logs;
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::{Db, idempotency};
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Makes the activity log's partitions for the months ahead and drops those past 90 days.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct MaintainActivityLog {}

impl Job for MaintainActivityLog {
    const KIND: &'static str = "admin.maintain_activity_log";
}

/// Does [`MaintainActivityLog`], which wants to run daily. Doing it twice changes nothing.
pub struct ActivityLogKeeper {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl ActivityLogKeeper {
    /// Keeps the log in `db` by the time of `clock`.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Handler<MaintainActivityLog> for ActivityLogKeeper {
    async fn run(&self, _: MaintainActivityLog, _: &Attempt) -> Result<(), JobError> {
        let mut tx = self.db.begin(&Ctx::system("admin")).await?;
        let done = activity_logs::maintain(&mut tx, self.clock.now()).await?;
        tx.commit().await?;
        if !(done.created.is_empty() && done.dropped.is_empty()) {
            tracing::info!(created = ?done.created, dropped = ?done.dropped, "activity log kept");
        }
        Ok(())
    }
}

/// How long a repeated request with its `Idempotency-Key` gets the first one's answer.
const KEY_LIFE: TimeDelta = TimeDelta::hours(24);

/// Forgets the `Idempotency-Key`s of requests that were answered more than 24 hours ago.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ForgetIdempotencyKeys {}

impl Job for ForgetIdempotencyKeys {
    const KIND: &'static str = "admin.forget_idempotency_keys";
}

/// Does [`ForgetIdempotencyKeys`], which wants to run hourly.
pub struct IdempotencyKeyKeeper {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl IdempotencyKeyKeeper {
    /// Keeps the keys in `db` by the time of `clock`.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Handler<ForgetIdempotencyKeys> for IdempotencyKeyKeeper {
    async fn run(&self, _: ForgetIdempotencyKeys, _: &Attempt) -> Result<(), JobError> {
        let mut tx = self.db.begin(&Ctx::system("admin")).await?;
        let forgotten = idempotency::sweep(&mut tx, self.clock.now() - KEY_LIFE).await?;
        tx.commit().await?;
        tracing::debug!(forgotten, "idempotency keys swept");
        Ok(())
    }
}
