use crate::repository::dead;
use chrono::{DateTime, Utc};
use eyemotion_core::{Ctx, UserId};
use eyemotion_db::{Db, DbError};
use uuid::Uuid;

/// A job that was given up.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// The job's id.
    pub id: Uuid,
    /// Its queue.
    pub queue: String,
    /// Its kind, [`crate::Job::KIND`].
    pub kind: String,
    /// The job itself.
    pub payload: serde_json::Value,
    /// How often it was tried.
    pub attempts: i32,
    /// Whom the work was for.
    pub owner: Option<UserId>,
    /// Why the last attempt failed, at most 10000 characters.
    pub error: String,
    /// When it was enqueued.
    pub enqueued_at: DateTime<Utc>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
}

/// What [`replay`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The job is queued again, with all its attempts before it.
    Queued,
    /// There is no dead letter with this id.
    NotFound,
    /// A job with the same unique key is queued or running, so this one stays dead.
    Superseded,
}

/// The latest dead letters, at most `limit`.
pub async fn dead(db: &Db, limit: u32) -> Result<Vec<DeadLetter>, DbError> {
    let mut tx = db.read(&Ctx::system("jobs")).await?;
    let rows = dead::list(&mut tx, i64::from(limit)).await?;
    Ok(rows
        .into_iter()
        .map(|row| DeadLetter {
            id: row.id,
            queue: row.queue,
            kind: row.kind,
            payload: row.payload,
            attempts: row.attempts,
            owner: row.owner_id.map(UserId),
            error: row.last_error.unwrap_or_default(),
            enqueued_at: row.created_at,
            died_at: row.updated_at,
        })
        .collect())
}

/// Queues a dead letter again.
pub async fn replay(db: &Db, id: Uuid) -> Result<Replay, DbError> {
    let mut tx = db.begin(&Ctx::system("jobs")).await?;
    match dead::revive(&mut tx, id).await {
        Ok(Some(queue)) => {
            dead::announce(&mut tx, &queue).await?;
            tx.commit().await?;
            Ok(Replay::Queued)
        }
        Ok(None) => Ok(Replay::NotFound),
        Err(error) if error.constraint() == Some("jobs_unique_key_idx") => Ok(Replay::Superseded),
        Err(error) => Err(error),
    }
}
