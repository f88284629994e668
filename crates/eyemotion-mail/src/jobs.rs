//! The jobs that send what was posted and forget what was sent.

use crate::message::{Outgoing, compose};
use crate::render::Renderer;
use crate::repository::outbox;
use crate::transport::{SendError, Transport};
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::{Db, Tx};
use eyemotion_jobs::{Attempt, BoxError, Handler, Job, JobError};
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Sends one mail of the outbox.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SendMail {
    /// Its id.
    pub mail: Uuid,
}

impl Job for SendMail {
    const KIND: &'static str = "mail.send";
    const QUEUE: &'static str = "mail";
    /// With the queue's pauses this bridges a relay that is away for hours.
    const MAX_ATTEMPTS: i32 = 12;
    const TIMEOUT: Duration = Duration::from_mins(3);
}

/// Does [`SendMail`].
pub struct MailSender {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The texts.
    pub renderer: Renderer,
    /// How messages leave.
    pub transport: Arc<dyn Transport>,
    /// Whom they are from.
    pub from: Mailbox,
}

impl MailSender {
    async fn take(&self, mail: Uuid) -> Result<Option<Outgoing>, JobError> {
        let mut tx = self.db.read(&Ctx::system("mail")).await?;
        let Some(row) = outbox::find(&mut tx, mail).await? else {
            return Ok(None);
        };
        if row.state == "sent" {
            return Ok(None);
        }
        let Some(Value::Object(data)) = &row.data else {
            return Err(JobError::fatal("its content has been forgotten"));
        };
        let data: &Map<String, Value> = data;
        let message = compose(&self.renderer, &self.from, &row, data);
        message.map(Some).map_err(JobError::fatal)
    }
}

#[async_trait]
impl Handler<SendMail> for MailSender {
    async fn run(&self, job: SendMail, attempt: &Attempt) -> Result<(), JobError> {
        let Some(message) = self.take(job.mail).await? else {
            return Ok(());
        };
        let (id, message_id) = (job.mail, message.message_id.as_str());
        match self.transport.send(&message).await {
            Ok(()) => {
                // A crash here sends the message again, under the same Message-ID.
                let mut tx = self.db.begin(&Ctx::system("mail")).await?;
                let now = self.clock.now();
                outbox::sent(&mut tx, id, attempt.number, message_id, now).await?;
                attempt.complete(&mut tx).await?;
                Ok(tx.commit().await?)
            }
            Err(error) => {
                let mut tx = self.db.begin(&Ctx::system("mail")).await?;
                attempt.fence(&mut tx).await?;
                let text = describe(&error);
                outbox::delayed(&mut tx, id, attempt.number, message_id, &text).await?;
                tx.commit().await?;
                Err(match error {
                    SendError::Later(_) => JobError::retry(error),
                    SendError::Never(_) => JobError::fatal(error),
                })
            }
        }
    }

    async fn dead(&self, tx: &mut Tx, job: SendMail, error: &str) -> Result<(), BoxError> {
        tracing::warn!(mail = %job.mail, error, "a mail was given up");
        Ok(outbox::failed(tx, job.mail, &fit(error)).await?)
    }
}

fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    fit(&text)
}

/// As much as the outbox keeps of an error.
fn fit(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(2000).collect()
}

/// What was sent or given up is known for so long, without its content.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How long the dead letter of a mail can be replayed: until then the mail keeps its content.
const REPLAYABLE: TimeDelta = TimeDelta::days(1);

/// Forgets mails that were sent or given up long ago: schedule it hourly.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct PruneOutbox {}

impl Job for PruneOutbox {
    const KIND: &'static str = "mail.prune_outbox";
    const QUEUE: &'static str = "mail";
}

/// Does [`PruneOutbox`]. Doing it twice changes nothing.
pub struct OutboxKeeper {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl OutboxKeeper {
    /// Keeps the outbox in `db` by the time of `clock`.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Handler<PruneOutbox> for OutboxKeeper {
    async fn run(&self, _: PruneOutbox, _: &Attempt) -> Result<(), JobError> {
        let now = self.clock.now();
        let mut tx = self.db.begin(&Ctx::system("mail")).await?;
        let forgotten = outbox::prune(&mut tx, now - REPLAYABLE, now - KEPT).await?;
        tx.commit().await?;
        tracing::debug!(forgotten, "outbox pruned");
        Ok(())
    }
}
