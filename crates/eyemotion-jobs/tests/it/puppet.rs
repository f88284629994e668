//! A handler that asks the test what to do.

use crate::world::affect;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::{Db, Tx};
use eyemotion_jobs::{Attempt, BoxError, Fenced, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    pub name: String,
}

impl Task {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}

impl Job for Task {
    const KIND: &'static str = "test.task";
    const MAX_ATTEMPTS: i32 = 3;
}

/// What the handler is to do.
#[derive(Debug)]
pub enum Act {
    Done,
    Retry,
    Fatal,
    Snooze(Duration),
    Panic,
    /// Write the effect and complete in one transaction.
    Commit,
    /// Write the effect under the fence only.
    Fence,
}

/// One attempt, waiting for the test's word.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    pub number: i32,
    act: oneshot::Sender<Act>,
    pub end: oneshot::Receiver<Result<(), String>>,
}

impl Call {
    /// Says what to do and waits until it is done.
    pub async fn act(self, act: Act) -> Result<(), String> {
        self.act.send(act).unwrap();
        self.end.await.expect("the handler was cut off")
    }

    pub fn let_be(self, act: Act) {
        self.act.send(act).unwrap();
    }
}

#[derive(Clone)]
pub struct Puppet {
    db: Db,
    calls: mpsc::UnboundedSender<Call>,
    /// Burials that are to fail.
    pub refusals: Arc<Mutex<u32>>,
}

pub struct Calls(mpsc::UnboundedReceiver<Call>);

impl Puppet {
    pub fn new(db: &Db) -> (Self, Calls) {
        let (calls, receiver) = mpsc::unbounded_channel();
        (
            Self {
                db: db.clone(),
                calls,
                refusals: Arc::default(),
            },
            Calls(receiver),
        )
    }

    async fn perform(&self, act: Act, job: &Task, attempt: &Attempt) -> Result<(), JobError> {
        match act {
            Act::Done => Ok(()),
            Act::Retry => Err(JobError::retry("it failed")),
            Act::Fatal => Err(JobError::fatal("it is hopeless")),
            Act::Snooze(pause) => Err(JobError::Snooze(pause)),
            Act::Panic => panic!("the handler broke"),
            Act::Commit | Act::Fence => {
                let mut tx = self.db.begin(&Ctx::system("test")).await?;
                match act {
                    Act::Fence => attempt.fence(&mut tx).await?,
                    _ => attempt.complete(&mut tx).await?,
                }
                affect(&mut tx, &job.name).await?;
                Ok(tx.commit().await?)
            }
        }
    }
}

impl Calls {
    pub async fn next(&mut self) -> Call {
        let call = tokio::time::timeout(Duration::from_mins(2), self.0.recv()).await;
        call.expect("no attempt was made").unwrap()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[async_trait]
impl Handler<Task> for Puppet {
    async fn run(&self, job: Task, attempt: &Attempt) -> Result<(), JobError> {
        let (act, acting) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let call = Call {
            name: job.name.clone(),
            number: attempt.number,
            act,
            end,
        };
        self.calls.send(call).unwrap();
        let Ok(act) = acting.await else {
            return std::future::pending().await;
        };
        let result = self.perform(act, &job, attempt).await;
        // A fenced attempt shows its error to the test as well.
        let shown = result
            .as_ref()
            .copied()
            .map_err(|error| format!("{error:?}"));
        let _ = ended.send(shown);
        result
    }

    async fn dead(&self, tx: &mut Tx, job: Task, error: &str) -> Result<(), BoxError> {
        affect(tx, &format!("dead {}: {error}", job.name)).await?;
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err("no burial today".into());
        }
        Ok(())
    }
}

pub fn is_fenced(result: &Result<(), String>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.contains(&format!("{:?}", Fenced::TakenOver)))
}
