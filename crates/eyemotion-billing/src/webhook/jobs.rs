use super::StripeWebhooks;
use super::event::{self, Meaning};
use crate::converge::ConvergeError;
use crate::repository::events;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::Tx;
use eyemotion_jobs::{Attempt, BoxError, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// The queue of everything that asks Stripe.
pub(crate) const QUEUE: &str = "stripe";

/// Works on an event: tried ten times over some hours, then a dead letter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessStripeEvent {
    pub(crate) event: String,
}

impl Job for ProcessStripeEvent {
    const KIND: &'static str = "billing.process_stripe_event";
    const QUEUE: &'static str = QUEUE;
    const MAX_ATTEMPTS: i32 = 10;
    const TIMEOUT: Duration = Duration::from_mins(3);
}

#[async_trait]
impl Handler<ProcessStripeEvent> for Arc<StripeWebhooks> {
    async fn run(&self, job: ProcessStripeEvent, attempt: &Attempt) -> Result<(), JobError> {
        let ctx = Ctx::system("billing");
        let mut tx = self.db.read(&ctx).await?;
        let Some(event) = events::find(&mut tx, &job.event).await? else {
            return Ok(());
        };
        drop(tx);
        if event.status != events::PENDING {
            return Ok(());
        }
        match self.process(&ctx, &job.event, &event.body).await {
            Ok(Outcome { status, note, told }) => {
                let mut tx = self.db.begin(&ctx).await?;
                attempt.complete(&mut tx).await?;
                if let Some(told) = told {
                    self.tell(&mut tx, &ctx, &told).await?;
                }
                let now = self.clock.now();
                events::settle(&mut tx, &job.event, status, note.as_deref(), now).await?;
                tx.commit().await?;
                Ok(())
            }
            Err(error) => {
                let text = describe(&error);
                tracing::warn!(
                    event = job.event,
                    kind = event.kind,
                    error = text,
                    "cannot work on an event"
                );
                let mut tx = self.db.begin(&ctx).await?;
                events::failed(&mut tx, &job.event, attempt.number, &text).await?;
                tx.commit().await?;
                Err(if error.is_final() {
                    JobError::fatal(text)
                } else {
                    JobError::retry(text)
                })
            }
        }
    }

    async fn dead(
        &self,
        tx: &mut Tx,
        job: ProcessStripeEvent,
        error: &str,
    ) -> Result<(), BoxError> {
        tracing::error!(event = job.event, error, "an event was given up");
        let now = self.clock.now();
        events::settle(tx, &job.event, events::DEAD, Some(error), now).await?;
        Ok(())
    }
}

/// What came of an event.
struct Outcome {
    status: &'static str,
    note: Option<String>,
    told: Option<super::Told>,
}

impl StripeWebhooks {
    async fn process(&self, ctx: &Ctx, id: &str, body: &[u8]) -> Result<Outcome, ConvergeError> {
        let done = |status, note: Option<&str>| Outcome {
            status,
            note: note.map(str::to_owned),
            told: None,
        };
        let meaning =
            event::meaning(body).map_err(|error| ConvergeError::Odd(error.to_string()))?;
        let (object, notice) = match meaning {
            Meaning::Nothing => return Ok(done(events::IGNORED, None)),
            Meaning::Catalogue => {
                let note = "the catalogue was changed at Stripe; ours is the truth: run 'eyemotion plans sync --dry-run'";
                tracing::warn!(event = id, "{note}");
                return Ok(done(events::PROCESSED, Some(note)));
            }
            Meaning::Converge(object, notice) => (object, notice),
        };
        match self.convergence()?.converge(ctx, &object).await {
            Ok(()) => Ok(Outcome {
                told: notice.map(|notice| super::Told { notice, object }),
                ..done(events::PROCESSED, None)
            }),
            // Another system's of the same account, or from before ours.
            Err(error @ ConvergeError::Nobodys(_)) => {
                Ok(done(events::IGNORED, Some(&error.to_string())))
            }
            Err(error) => Err(error),
        }
    }
}

/// An error with its causes.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
