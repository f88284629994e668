//! Events on their way in: kept first, whatever they say, then worked on by a job.

use super::event::{self, Envelope};
use super::jobs::ProcessStripeEvent;
use crate::repository::events::{self, NewEventRow};
use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use eyemotion_core::Clock;
use eyemotion_db::{DbError, Tx};
use eyemotion_jobs::{Enqueue, enqueue};

/// How an event reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Webhook,
    EventsApi,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::EventsApi => "events_api",
        }
    }
}

/// Keeps an event and the job that works on it, once for each id. False: it was known.
pub(crate) async fn keep(
    tx: &mut Tx,
    clock: &dyn Clock,
    envelope: &Envelope,
    body: &[u8],
    source: Source,
) -> Result<bool, DbError> {
    let now = clock.now();
    let row = NewEventRow {
        id: &envelope.id,
        kind: &envelope.kind,
        livemode: envelope.livemode,
        object_type: envelope.object_type.as_deref(),
        object_id: envelope.object_id.as_deref(),
        body,
        source: source.as_str(),
        status: events::PENDING,
        last_error: None,
        occurred_at: envelope.created.unwrap_or(now),
        received_at: now,
    };
    let new = events::insert(tx, &row).await?;
    if new {
        work_on(tx, clock, &envelope.id).await?;
    }
    Ok(new)
}

/// Queues the work on an event that is kept.
pub(crate) async fn work_on(tx: &mut Tx, clock: &dyn Clock, id: &str) -> Result<(), DbError> {
    let job = ProcessStripeEvent {
        event: id.to_owned(),
    };
    // The digest, because an id may be longer than a key.
    let key = format!("stripe_event:{}", digest_of(id.as_bytes()));
    enqueue(tx, clock, &job, Enqueue::new().unique_key(key)).await?;
    Ok(())
}

/// Keeps what Stripe signed and nobody can read, for whoever looks into it.
pub(crate) async fn keep_unreadable(
    tx: &mut Tx,
    now: DateTime<Utc>,
    livemode: bool,
    body: &[u8],
    error: &event::Unreadable,
) -> Result<(), DbError> {
    let id = format!("unreadable_{}", digest_of(body));
    let error = error.to_string();
    let row = NewEventRow {
        id: &id,
        kind: "unreadable",
        livemode,
        object_type: None,
        object_id: None,
        body,
        source: Source::Webhook.as_str(),
        status: events::DEAD,
        last_error: Some(&error),
        occurred_at: now,
        received_at: now,
    };
    if events::insert(tx, &row).await? {
        tracing::error!(event = id, error, "a webhook cannot be read");
    }
    Ok(())
}

fn digest_of(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}
