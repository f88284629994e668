use crate::repository::jobs::{self, NewJobRow};
use chrono::{DateTime, Utc};
use eyemotion_core::{Clock, UserId};
use eyemotion_db::{DbError, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use uuid::Uuid;

/// Work to do later, as it is stored: at most 256 KiB of JSON. Keep ids in it, not copies of rows.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name under which the handler is found, `files.process` say. Stored: never rename it
    /// while jobs of it may be waiting.
    const KIND: &'static str;
    /// The queue, each with its own concurrency.
    const QUEUE: &'static str = "default";
    /// How often it is tried before it is a dead letter.
    const MAX_ATTEMPTS: i32 = 5;
    /// How long one attempt may take.
    const TIMEOUT: Duration = Duration::from_mins(5);
}

/// How a job is enqueued. The default is: now, priority 0, any number of times.
#[derive(Clone, Debug, Default)]
pub struct Enqueue {
    unique_key: Option<String>,
    run_at: Option<DateTime<Utc>>,
    priority: i16,
    owner: Option<UserId>,
}

impl Enqueue {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most one job with this key is queued or running, over all kinds and queues; 1 to 255
    /// characters. Put the kind in it.
    #[must_use]
    pub fn unique_key(self, key: impl Into<String>) -> Self {
        Self {
            unique_key: Some(key.into()),
            ..self
        }
    }

    /// Not before this moment.
    #[must_use]
    pub fn run_at(self, moment: DateTime<Utc>) -> Self {
        Self {
            run_at: Some(moment),
            ..self
        }
    }

    /// Higher goes first within a queue.
    #[must_use]
    pub fn priority(self, priority: i16) -> Self {
        Self { priority, ..self }
    }

    /// Whom the work is for, for a queue's limit per person. By default the person that the
    /// transaction acts for; a transaction of the system may name anybody.
    #[must_use]
    pub fn owner(self, owner: UserId) -> Self {
        Self {
            owner: Some(owner),
            ..self
        }
    }
}

/// Adds a job in the caller's transaction: it exists if, and only if, that commits. Workers hear
/// of it at the commit.
///
/// Returns the job's id, or `None` if one with this unique key is queued or running already.
///
/// # Errors
/// A constraint `jobs_payload_check` if the payload is larger than 256 KiB.
pub async fn enqueue<J: Job>(
    tx: &mut Tx,
    clock: &dyn Clock,
    job: &J,
    options: Enqueue,
) -> Result<Option<Uuid>, DbError> {
    let payload = serde_json::to_value(job).map_err(|error| DbError::Other(error.into()))?;
    let row = NewJobRow {
        id: clock.new_id(),
        queue: J::QUEUE,
        kind: J::KIND,
        payload: &payload,
        priority: options.priority,
        run_at: options.run_at.unwrap_or_else(|| clock.now()),
        max_attempts: J::MAX_ATTEMPTS,
        unique_key: options.unique_key.as_deref(),
    };
    let inserted = jobs::insert(tx, &row, options.owner).await?;
    Ok(inserted.then_some(row.id))
}
