//! Makes our rows equal to what Stripe has.
//!
//! An event, a person on the success page, a replay, a reconciliation: each only names an object.
//! What it is now is fetched, so neither the order nor the number of the callers matters. All work
//! on one person is done one after the other, fetches included: what was fetched before another's
//! commit never overwrites it. Effects have names of their own in the ledger and happen once.

mod checkout;
mod customer;
mod difference;
mod doubts;
mod error;
mod included;
mod invoice;
mod notice;
mod object;
mod payment;
mod plan_in_force;
mod subject;
mod subscription;

pub use difference::Difference;
pub(crate) use error::ConvergeError;
pub(crate) use object::StripeObject;

use crate::ledger::Ledger;
use crate::repository::customer_copies;
use crate::stripe::Stripe;
use chrono::TimeDelta;
use difference::Snapshot;
use eyemotion_core::{Actor, Clock, Ctx, UserId};
use eyemotion_db::{Db, Tx};
use eyemotion_ports::{ActivityLog, Outbox, StorageQuota};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Each holds a connection while Stripe answers, and others need some too.
const AT_ONCE: usize = 4;

/// What it takes to make rows equal. Cheap to clone; clones share the limit of how many work at
/// once.
#[derive(Clone)]
pub struct Convergence {
    pub(crate) db: Db,
    pub(crate) stripe: Stripe,
    pub(crate) ledger: Ledger,
    pub(crate) quota: Arc<dyn StorageQuota>,
    pub(crate) activity: Arc<dyn ActivityLog>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) grace: TimeDelta,
    permits: Arc<Semaphore>,
}

/// What [`Convergence`] is made of.
pub struct ConvergenceParts {
    /// Where our rows are.
    pub db: Db,
    /// Where the truth is.
    pub stripe: Stripe,
    /// Learns how much room a plan gives.
    pub quota: Arc<dyn StorageQuota>,
    /// Learns what happened.
    pub activity: Arc<dyn ActivityLog>,
    /// Takes what people are written.
    pub outbox: Arc<dyn Outbox>,
    /// Time and ids.
    pub clock: Arc<dyn Clock>,
    /// How long a plan goes on while its payment is owed.
    pub grace: TimeDelta,
}

impl Convergence {
    /// Puts it together.
    pub fn new(parts: ConvergenceParts) -> Self {
        Self {
            ledger: Ledger::new(Arc::clone(&parts.clock)),
            db: parts.db,
            stripe: parts.stripe,
            quota: parts.quota,
            activity: parts.activity,
            outbox: parts.outbox,
            clock: parts.clock,
            grace: parts.grace,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Makes our rows equal to the object, and to whatever of Stripe's it depends on.
    ///
    /// # Errors
    /// [`ConvergeError`]; nothing is changed then.
    pub(crate) async fn converge(
        &self,
        ctx: &Ctx,
        object: &StripeObject,
    ) -> Result<(), ConvergeError> {
        self.work(ctx, object, false).await?;
        Ok(())
    }

    /// The same, and tells what was not equal.
    pub(crate) async fn heal(
        &self,
        ctx: &Ctx,
        object: &StripeObject,
    ) -> Result<Vec<Difference>, ConvergeError> {
        self.work(ctx, object, true).await
    }

    async fn work(
        &self,
        ctx: &Ctx,
        object: &StripeObject,
        watch: bool,
    ) -> Result<Vec<Difference>, ConvergeError> {
        // Never closed.
        let _permit = self.permits.acquire().await;
        let ctx = &ctx.with_actor(Actor::System("billing"));
        let user = self.subject(ctx, object).await?;
        let mut tx = self.db.begin(ctx).await?;
        customer_copies::lock(&mut tx, user).await?;
        let before = if watch {
            Some(Snapshot::of(&mut tx, user).await?)
        } else {
            None
        };
        let mut round = Round {
            on: self,
            ctx,
            tx: &mut tx,
            user,
        };
        match object {
            StripeObject::CheckoutSession(id) => round.checkout_session(id).await?,
            StripeObject::Subscription(id) => {
                round.subscription(id).await?;
            }
            StripeObject::Invoice(id) => round.invoice(id).await?,
            StripeObject::PaymentIntent(id) => round.payment_intent(id).await?,
            StripeObject::Charge(id) => round.charge(id).await?,
            StripeObject::Dispute(id) => round.dispute(id).await?,
            StripeObject::FraudWarning(id) => round.fraud_warning(id).await?,
            StripeObject::Review(id) => round.review(id).await?,
            StripeObject::Customer(id) => round.customer(id).await?,
        }
        let differences = match before {
            Some(before) => before.differences(&Snapshot::of(&mut tx, user).await?),
            None => Vec::new(),
        };
        tx.commit().await?;
        Ok(differences)
    }
}

/// One transaction of [`Convergence`], under the person's lock.
struct Round<'a> {
    on: &'a Convergence,
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    user: UserId,
}
