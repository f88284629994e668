use crate::{Attempt, Job};
use async_trait::async_trait;
use eyemotion_db::Tx;
use serde_json::Value;
use std::error::Error;
use std::marker::PhantomData;
use std::time::Duration;

/// Any error, boxed.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Does the work of one kind of job.
#[async_trait]
pub trait Handler<J: Job>: Send + Sync + 'static {
    /// One attempt. `Ok` deletes the job, unless [`Attempt::complete`] has done so already.
    ///
    /// An attempt may be cut short at any `await` (time-out, drain, lost lease) and the job run
    /// again, so write in one transaction that begins with [`Attempt::fence`] or ends with
    /// [`Attempt::complete`].
    async fn run(&self, job: J, attempt: &Attempt) -> Result<(), JobError>;

    /// The job is given up: called in the system's transaction that makes it a dead letter, so
    /// both commit together. An error here puts the burial off, at most as often as the job may be
    /// tried; then the job is a dead letter without it.
    async fn dead(&self, tx: &mut Tx, job: J, error: &str) -> Result<(), BoxError> {
        let _ = (tx, job, error);
        Ok(())
    }
}

/// How an attempt failed. Any error becomes [`JobError::Retry`] by `?`.
#[derive(Debug)]
pub enum JobError {
    /// Try again after a while, if attempts are left.
    Retry(BoxError),
    /// Trying again is of no use: a dead letter at once.
    Fatal(BoxError),
    /// Not yet: run again after this time. Does not count as an attempt.
    Snooze(Duration),
}

impl JobError {
    /// [`JobError::Retry`] from an error or a text.
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self::Retry(error.into())
    }

    /// [`JobError::Fatal`] from an error or a text.
    pub fn fatal(error: impl Into<BoxError>) -> Self {
        Self::Fatal(error.into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}

/// A handler whose job's type is forgotten.
#[async_trait]
pub(crate) trait AnyHandler: Send + Sync {
    async fn run(&self, payload: &Value, attempt: &Attempt) -> Result<(), JobError>;
    async fn dead(&self, tx: &mut Tx, payload: &Value, error: &str) -> Result<(), BoxError>;
}

pub(crate) struct Typed<J, H>(pub H, pub PhantomData<fn() -> J>);

impl<J: Job, H> Typed<J, H> {
    fn parse(payload: &Value) -> Result<J, BoxError> {
        serde::Deserialize::deserialize(payload).map_err(|error: serde_json::Error| {
            format!("the payload cannot be read: {error}").into()
        })
    }
}

#[async_trait]
impl<J: Job, H: Handler<J>> AnyHandler for Typed<J, H> {
    async fn run(&self, payload: &Value, attempt: &Attempt) -> Result<(), JobError> {
        let job = Self::parse(payload).map_err(JobError::Fatal)?;
        self.0.run(job, attempt).await
    }

    async fn dead(&self, tx: &mut Tx, payload: &Value, error: &str) -> Result<(), BoxError> {
        match Self::parse(payload) {
            Ok(job) => self.0.dead(tx, job, error).await,
            // The dead letter says so itself; trying again would not make it readable.
            Err(_) => Ok(()),
        }
    }
}
