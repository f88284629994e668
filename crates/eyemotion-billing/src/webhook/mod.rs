//! Stripe's events: let in by their signature, kept, worked on, and fetched where they did not
//! come; and what is done about rows that differ nevertheless.

mod error;
mod event;
mod gaps;
mod inbox;
mod jobs;
mod lapse;
mod probe;
mod reconcile;
mod signature;

pub use crate::converge::Difference;
pub use crate::repository::events::{EventFilter, StripeEvent};
pub use error::WebhookError;
pub(crate) use event::Notice;
pub use gaps::FetchMissedEvents;
pub use jobs::ProcessStripeEvent;
pub use lapse::{CancelLapsed, EndGrace, workers};
pub use probe::PaymentsProbe;
pub use reconcile::{DriftReport, ReconcilePayments, ReconcileScope};
pub use signature::{SignatureError, verify_signature};

use crate::converge::{ConvergeError, Convergence, StripeObject};
use crate::repository::events;
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Actor, Clock, Ctx};
use eyemotion_db::{Db, DbError, Tx};
use inbox::Source;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// The longest event that is taken, bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// Events at a time, for lists and replays.
const BATCH: i64 = 500;

/// What Stripe calls, and what operators do about it.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Keeps an event and queues the work on it: the raw body with its `Stripe-Signature`. Once it
    /// returns, the event is not lost. An event that came before changes nothing.
    ///
    /// # Errors
    /// [`WebhookError::InvalidSignature`], [`WebhookError::WrongMode`], [`WebhookError::TooLarge`],
    /// [`WebhookError::NotConfigured`]; [`WebhookError::Db`]: Stripe will send it again.
    async fn receive(
        &self,
        ctx: &Ctx,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<(), WebhookError>;

    /// The latest events of a sort, at most `limit`. For operators.
    ///
    /// # Errors
    /// [`WebhookError::Forbidden`].
    async fn events(
        &self,
        ctx: &Ctx,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<StripeEvent>, WebhookError>;

    /// Works on events of a sort once more; returns how many. For operators. Doing so twice is as
    /// good as once.
    ///
    /// # Errors
    /// [`WebhookError::Forbidden`].
    async fn replay(&self, ctx: &Ctx, filter: &EventFilter) -> Result<u64, WebhookError>;

    /// Fetches the events that did not come, makes every row equal to what Stripe has, and tells
    /// what was not. For operators.
    ///
    /// # Errors
    /// [`WebhookError::Forbidden`], [`WebhookError::NotConfigured`], or that Stripe does not answer.
    async fn reconcile(
        &self,
        ctx: &Ctx,
        scope: ReconcileScope,
    ) -> Result<DriftReport, WebhookError>;
}

/// [`Webhooks`] on PostgreSQL.
pub struct StripeWebhooks {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    secrets: Vec<SecretString>,
    tolerance: TimeDelta,
    convergence: Option<Convergence>,
}

/// Something that a person is told once an event is done.
pub(crate) struct Told {
    pub notice: Notice,
    pub object: StripeObject,
}

impl StripeWebhooks {
    /// Without `convergence`, Stripe is not configured: nothing is taken and nothing asked.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        secrets: Vec<SecretString>,
        tolerance: TimeDelta,
        convergence: Option<Convergence>,
    ) -> Self {
        Self {
            db,
            clock,
            secrets,
            tolerance,
            convergence,
        }
    }

    pub(crate) fn convergence(&self) -> Result<&Convergence, ConvergeError> {
        self.convergence
            .as_ref()
            .ok_or(ConvergeError::NotConfigured)
    }

    fn configured(&self) -> Result<&Convergence, WebhookError> {
        self.convergence.as_ref().ok_or(WebhookError::NotConfigured)
    }

    async fn tell(&self, tx: &mut Tx, ctx: &Ctx, told: &Told) -> Result<(), DbError> {
        match &self.convergence {
            Some(convergence) => convergence.tell(tx, ctx, &told.object, told.notice).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Webhooks for StripeWebhooks {
    async fn receive(
        &self,
        ctx: &Ctx,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<(), WebhookError> {
        let is_live = self.configured()?.stripe.is_live();
        if self.secrets.is_empty() {
            return Err(WebhookError::NotConfigured);
        }
        if body.len() > MAX_BODY {
            return Err(WebhookError::TooLarge);
        }
        let secrets: Vec<&str> = self
            .secrets
            .iter()
            .map(ExposeSecret::expose_secret)
            .collect();
        let header = signature.unwrap_or_default();
        let now = self.clock.now();
        verify_signature(body, header, &secrets, now, self.tolerance).map_err(|error| {
            tracing::warn!(%error, "a webhook is not believed");
            WebhookError::InvalidSignature
        })?;
        let mut tx = self.db.begin(&system(ctx)).await?;
        match event::read(body) {
            Ok(envelope) if envelope.livemode != is_live => return Err(WebhookError::WrongMode),
            Ok(envelope) => {
                let new = inbox::keep(&mut tx, &*self.clock, &envelope, body, Source::Webhook);
                let new = new.await?;
                tracing::info!(event = envelope.id, kind = envelope.kind, new, "webhook");
            }
            Err(error) => {
                inbox::keep_unreadable(&mut tx, now, is_live, body, &error).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn events(
        &self,
        ctx: &Ctx,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<StripeEvent>, WebhookError> {
        let mut tx = self.db.read(&operator(ctx)?).await?;
        Ok(events::list(&mut tx, filter, None, i64::from(limit)).await?)
    }

    async fn replay(&self, ctx: &Ctx, filter: &EventFilter) -> Result<u64, WebhookError> {
        self.configured()?;
        let ctx = operator(ctx)?;
        let (mut count, mut after) = (0, None);
        loop {
            let mut tx = self.db.begin(&ctx).await?;
            let found = events::list(&mut tx, filter, after.as_ref(), BATCH).await?;
            let Some(last) = found.last() else {
                return Ok(count);
            };
            after = Some((last.received_at, last.id.clone()));
            for event in found {
                events::revive(&mut tx, &event.id).await?;
                inbox::work_on(&mut tx, &*self.clock, &event.id).await?;
                count += 1;
            }
            tx.commit().await?;
        }
    }

    async fn reconcile(
        &self,
        ctx: &Ctx,
        scope: ReconcileScope,
    ) -> Result<DriftReport, WebhookError> {
        let ctx = operator(ctx)?;
        self.configured()?;
        let missed_events = self
            .fetch_missed(&ctx, scope == ReconcileScope::Full)
            .await?;
        let report = self.heal(&ctx, scope).await?;
        Ok(DriftReport {
            missed_events,
            ..report
        })
    }
}

fn system(ctx: &Ctx) -> Ctx {
    ctx.with_actor(Actor::System("billing"))
}

/// The platform's rights for somebody who runs it.
fn operator(ctx: &Ctx) -> Result<Ctx, WebhookError> {
    match ctx.actor {
        Actor::System(_) => Ok(ctx.clone()),
        Actor::User { role, .. } if role.is_admin() => Ok(system(ctx)),
        _ => Err(WebhookError::Forbidden),
    }
}
