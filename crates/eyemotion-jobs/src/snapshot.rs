use crate::repository::dead;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::{Db, DbError};
use std::time::Duration;

/// How the queue stands, over all queues and processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Jobs that wait, including those whose time has not come.
    pub queued: u64,
    /// Jobs that somebody works on, including those of workers that died just now.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// How long the job that has waited longest could have been running: the queue's lag.
    pub oldest: Option<Duration>,
}

/// Counts the jobs. Costs a scan of the table, so ask every few seconds at most.
pub async fn snapshot(db: &Db, clock: &dyn Clock) -> Result<Snapshot, DbError> {
    let mut tx = db.read(&Ctx::system("jobs")).await?;
    let mut snapshot = Snapshot::default();
    for (state, count, earliest) in dead::count(&mut tx).await? {
        let count = u64::try_from(count).unwrap_or_default();
        match state.as_str() {
            "queued" => {
                snapshot.queued = count;
                snapshot.oldest = earliest.and_then(|run_at| (clock.now() - run_at).to_std().ok());
            }
            "running" => snapshot.running = count,
            _ => snapshot.dead = count,
        }
    }
    Ok(snapshot)
}
