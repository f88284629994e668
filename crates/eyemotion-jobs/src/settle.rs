use crate::execute::{Ended, Executor, describe, within};
use crate::handler::BoxError;
use crate::repository::claims::ClaimedRow;
use crate::repository::jobs;
use crate::{Attempt, backoff};
use chrono::{DateTime, Utc};
use eyemotion_db::DbError;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

/// The database may be away for a moment; what cannot be written by then, the lease's end repairs.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// What becomes of a job after an attempt.
#[derive(Debug)]
pub(crate) enum Settlement {
    Done,
    Retry {
        run_at: DateTime<Utc>,
        /// What counts as used up from then on.
        attempts: i32,
        error: String,
    },
    Snooze {
        run_at: DateTime<Utc>,
    },
    Dead(String),
}

impl Executor {
    pub(crate) async fn settle(
        self: &Arc<Self>,
        attempt: &Arc<Attempt>,
        row: &Arc<ClaimedRow>,
        settlement: Settlement,
    ) {
        match &settlement {
            Settlement::Done => tracing::debug!("job done"),
            Settlement::Snooze { run_at } => tracing::debug!(%run_at, "job put off"),
            Settlement::Retry { run_at, error, .. } => {
                tracing::warn!(%run_at, error, "job failed");
            }
            Settlement::Dead(error) => {
                tracing::error!(error, "job given up");
                return self.give_up(attempt, row, error).await;
            }
        }
        self.write(attempt, &settlement).await;
    }

    /// Makes the job a dead letter together with what its handler has to do about it.
    async fn give_up(self: &Arc<Self>, attempt: &Arc<Attempt>, row: &Arc<ClaimedRow>, error: &str) {
        if attempt.number > attempt.max.saturating_mul(2) {
            return self
                .write(attempt, &Settlement::Dead(error.to_owned()))
                .await;
        }
        let burial = tokio::spawn({
            let (executor, attempt) = (Arc::clone(self), Arc::clone(attempt));
            let (row, error) = (Arc::clone(row), error.to_owned());
            async move { executor.bury(&attempt, &row, &error).await }.in_current_span()
        });
        let failure = match within(self.time_limit(row), burial).await {
            Ok(Ok(())) | Err(Ended::CutOff) => return,
            Ok(Err(failure)) | Err(Ended::Badly(failure)) => failure,
        };
        tracing::error!(
            error = describe(&*failure),
            "cannot bury the job; trying again later"
        );
        let again = Settlement::Retry {
            run_at: self.after(backoff::pause(attempt.number)),
            attempts: attempt.number.max(attempt.max),
            error: error.to_owned(),
        };
        self.write(attempt, &again).await;
    }

    async fn bury(&self, attempt: &Attempt, row: &ClaimedRow, error: &str) -> Result<(), BoxError> {
        let mut tx = self.db.begin(&self.ctx).await?;
        attempt.fence(&mut tx).await?;
        if let Some(kind) = self.kind(row) {
            kind.handler.dead(&mut tx, &row.payload, error).await?;
        }
        jobs::bury(
            &mut tx,
            attempt.lease(),
            attempt.number.min(attempt.max),
            error,
        )
        .await?;
        Ok(tx.commit().await?)
    }

    async fn write(&self, attempt: &Attempt, settlement: &Settlement) {
        for left in (0..TRIES).rev() {
            match self.try_write(attempt, settlement).await {
                Ok(held) => {
                    if !held && !attempt.is_completing() {
                        tracing::warn!("the job was taken over by another worker");
                    }
                    return;
                }
                Err(error) => {
                    let error = describe(&error);
                    tracing::warn!(error, left, "cannot write down what became of the job");
                }
            }
            if left > 0 {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
        }
    }

    async fn try_write(&self, attempt: &Attempt, settlement: &Settlement) -> Result<bool, DbError> {
        let mut tx = self.db.begin(&self.ctx).await?;
        let lease = attempt.lease();
        let held = match settlement {
            Settlement::Done => jobs::delete(&mut tx, lease).await?,
            Settlement::Retry {
                run_at,
                attempts,
                error,
            } => jobs::requeue(&mut tx, lease, *attempts, *run_at, error).await?,
            Settlement::Snooze { run_at } => jobs::snooze(&mut tx, lease, *run_at).await?,
            Settlement::Dead(error) => {
                jobs::bury(&mut tx, lease, attempt.number.min(attempt.max), error).await?
            }
        };
        tx.commit().await?;
        Ok(held)
    }
}
