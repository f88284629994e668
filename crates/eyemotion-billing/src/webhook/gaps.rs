//! Events that were sent in vain, or never: fetched from Stripe's own list, which goes thirty days
//! back (docs.stripe.com/api/events/list).

use super::event;
use super::inbox::{self, Source};
use super::{StripeWebhooks, WebhookError};
use crate::repository::events;
use crate::stripe::objects::Event;
use crate::webhook::jobs::QUEUE;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::Ctx;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Looked back beyond the newest event that is known: what was sent before it may come after it.
const OVERLAP: TimeDelta = TimeDelta::hours(3);

/// Fetches the events that did not come: schedule it every quarter of an hour.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct FetchMissedEvents {}

impl Job for FetchMissedEvents {
    const KIND: &'static str = "billing.fetch_missed_events";
    const QUEUE: &'static str = QUEUE;
    const MAX_ATTEMPTS: i32 = 1;
    const TIMEOUT: Duration = Duration::from_mins(10);
}

#[async_trait]
impl Handler<FetchMissedEvents> for Arc<StripeWebhooks> {
    async fn run(&self, _: FetchMissedEvents, _: &Attempt) -> Result<(), JobError> {
        match self.fetch_missed(&Ctx::system("billing"), false).await {
            Ok(_) | Err(WebhookError::NotConfigured) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl StripeWebhooks {
    /// Keeps the events that are not known: since shortly before the newest known one, or of as
    /// long as Stripe remembers. Returns how many there were.
    pub(crate) async fn fetch_missed(&self, ctx: &Ctx, all: bool) -> Result<u64, WebhookError> {
        let stripe = &self.configured()?.stripe;
        let since = self.since(ctx, all).await?;
        let (mut missed, mut after) = (0, None);
        loop {
            let page = stripe.events(since, after.as_deref()).await?;
            missed += self.keep_unknown(ctx, &page.data, stripe.is_live()).await?;
            after = page.data.last().map(|event| event.id.clone());
            if !page.has_more || after.is_none() {
                break;
            }
        }
        if missed > 0 {
            tracing::warn!(missed, "events did not come and were fetched");
        }
        Ok(missed)
    }

    async fn since(&self, ctx: &Ctx, all: bool) -> Result<DateTime<Utc>, WebhookError> {
        let now = self.clock.now();
        let earliest = now - TimeDelta::days(30);
        if all {
            return Ok(earliest);
        }
        let mut tx = self.db.read(ctx).await?;
        let newest = events::newest(&mut tx).await?.unwrap_or(earliest);
        Ok((newest.min(now) - OVERLAP).max(earliest))
    }

    async fn keep_unknown(
        &self,
        ctx: &Ctx,
        page: &[Event],
        is_live: bool,
    ) -> Result<u64, WebhookError> {
        let ids: Vec<&str> = page.iter().map(|event| event.id.as_str()).collect();
        let mut tx = self.db.begin(ctx).await?;
        let known = events::known(&mut tx, &ids).await?;
        let mut kept = 0;
        for theirs in page {
            if theirs.livemode != is_live || known.contains(&theirs.id) {
                continue;
            }
            let body = json!({
                "id": theirs.id, "object": "event", "type": theirs.kind, "livemode": theirs.livemode,
                "created": theirs.created.timestamp(), "data": { "object": theirs.data.object },
            })
            .to_string();
            let Ok(envelope) = event::read(body.as_bytes()) else {
                continue;
            };
            let body = body.as_bytes();
            let source = Source::EventsApi;
            let new = inbox::keep(&mut tx, &*self.clock, &envelope, body, source).await?;
            kept += u64::from(new);
        }
        tx.commit().await?;
        Ok(kept)
    }
}
