use crate::dispatch::Queue;
use crate::handler::{AnyHandler, BoxError, JobError};
use crate::lease::Leases;
use crate::repository::claims::{self, ClaimRequest, ClaimedRow};
use crate::repository::{dead, jobs};
use crate::settle::Settlement;
use crate::{Attempt, backoff};
use chrono::{DateTime, Utc};
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::{Db, DbError};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tracing::Instrument as _;
use uuid::Uuid;

/// A kind of job that this process has a handler for.
pub(crate) struct Kind {
    pub queue: &'static str,
    pub timeout: Duration,
    pub handler: Box<dyn AnyHandler>,
}

/// What all tasks of one [`crate::Workers`] share.
pub(crate) struct Executor {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub ctx: Ctx,
    /// This process's part in a lease; never used twice.
    pub worker: String,
    pub kinds: BTreeMap<&'static str, Kind>,
    pub lease: Duration,
    pub leases: Leases,
}

impl Executor {
    pub(crate) fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        kinds: BTreeMap<&'static str, Kind>,
        lease: Duration,
    ) -> Self {
        let worker = format!("{}-{}", std::process::id(), Uuid::new_v4());
        let ctx = Ctx::system("jobs");
        Self {
            db,
            clock,
            ctx,
            worker,
            kinds,
            lease,
            leases: Leases::default(),
        }
    }

    pub(crate) fn after(&self, pause: Duration) -> DateTime<Utc> {
        let pause = chrono::Duration::from_std(pause).unwrap_or(chrono::Duration::MAX);
        self.clock
            .now()
            .checked_add_signed(pause)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub(crate) async fn claim(
        &self,
        queue: &Queue,
        limit: usize,
    ) -> Result<Vec<ClaimedRow>, DbError> {
        let request = ClaimRequest {
            queue: queue.name,
            kinds: &queue.kinds,
            worker: &self.worker,
            now: self.clock.now(),
            lease_until: self.after(self.lease),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            owner_limit: queue.owner_limit.map_or(i64::MAX, i64::from),
        };
        let mut tx = self.db.begin(&self.ctx).await?;
        let claimed = claims::claim(&mut tx, &request).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Runs a claimed job and writes down what became of it. Keeps `slot` until then.
    pub(crate) async fn execute(
        self: Arc<Self>,
        queue: Arc<Queue>,
        row: ClaimedRow,
        slot: OwnedSemaphorePermit,
    ) {
        let span =
            tracing::info_span!("job", kind = row.kind, id = %row.id, attempt = row.attempts);
        let owned = row.owner_id.is_some();
        self.attempt(row).instrument(span).await;
        drop(slot);
        if owned && queue.owner_limit.is_some() {
            // What this owner has waiting may run now; no notification says so.
            queue.wake.notify_one();
        }
    }

    async fn attempt(self: Arc<Self>, row: ClaimedRow) {
        let attempt = Arc::new(Attempt::new(
            row.id,
            row.attempts,
            row.max_attempts,
            row.owner_id.map(Into::into),
            self.worker.clone(),
        ));
        let held = self.leases.hold(&attempt);
        let row = Arc::new(row);
        let settlement = if attempt.number > attempt.max {
            // Its last worker died with it, or its burial failed.
            let error = row.last_error.clone();
            Settlement::Dead(error.unwrap_or_else(|| "the attempts are used up".to_owned()))
        } else {
            let handler = tokio::spawn({
                let (executor, row) = (Arc::clone(&self), Arc::clone(&row));
                let attempt = Arc::clone(&attempt);
                async move {
                    match executor.kind(&row) {
                        Some(kind) => kind.handler.run(&row.payload, &attempt).await,
                        None => Err(JobError::fatal("no handler for this kind")),
                    }
                }
                .in_current_span()
            });
            held.runs_as(handler.abort_handle());
            match within(self.time_limit(&row), handler).await {
                Ok(result) => self.judge(&attempt, result),
                Err(Ended::Badly(error)) => self.judge(&attempt, Err(JobError::Retry(error))),
                // Whoever cut it off has seen to the job.
                Err(Ended::CutOff) => return,
            }
        };
        self.settle(&attempt, &row, settlement).await;
    }

    pub(crate) fn kind(&self, row: &ClaimedRow) -> Option<&Kind> {
        self.kinds.get(row.kind.as_str())
    }

    pub(crate) fn time_limit(&self, row: &ClaimedRow) -> Duration {
        self.kind(row).map_or(Duration::MAX, |kind| kind.timeout)
    }

    fn judge(&self, attempt: &Attempt, result: Result<(), JobError>) -> Settlement {
        match result {
            Ok(()) => Settlement::Done,
            Err(JobError::Snooze(pause)) => Settlement::Snooze {
                run_at: self.after(pause),
            },
            Err(JobError::Fatal(error)) => Settlement::Dead(describe(&*error)),
            Err(JobError::Retry(error)) if attempt.number >= attempt.max => {
                Settlement::Dead(describe(&*error))
            }
            Err(JobError::Retry(error)) => Settlement::Retry {
                run_at: self.after(backoff::pause(attempt.number)),
                attempts: attempt.number,
                error: describe(&*error),
            },
        }
    }

    /// Gives back whatever this worker still holds, uncounted, and wakes others for it. Returns
    /// how many jobs that were.
    pub(crate) async fn release(&self) -> Result<usize, DbError> {
        let mut tx = self.db.begin(&self.ctx).await?;
        let mut queues = jobs::release(&mut tx, &self.worker, self.clock.now()).await?;
        let count = queues.len();
        queues.sort();
        queues.dedup();
        for queue in &queues {
            dead::announce(&mut tx, queue).await?;
        }
        tx.commit().await?;
        Ok(count)
    }
}

/// Why a task has no result.
pub(crate) enum Ended {
    /// It panicked or took too long.
    Badly(BoxError),
    /// It was aborted from outside.
    CutOff,
}

/// The task's result, or why there is none.
pub(crate) async fn within<T>(limit: Duration, mut task: JoinHandle<T>) -> Result<T, Ended> {
    match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(ended)) => Err(ended.try_into_panic().map_or(Ended::CutOff, |panic| {
            Ended::Badly(panic_text(&*panic).into())
        })),
        Err(_elapsed) => {
            task.abort();
            Err(Ended::Badly(format!("took longer than {limit:?}").into()))
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("no message"))
}

/// The error with all its causes, in the form that `last_error` can hold: at most 10000
/// characters and no NUL.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.chars().filter(|c| *c != '\0').take(10_000).collect()
}
