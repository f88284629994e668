//! People who leave are charged no more.

use super::service::PaymentsService;
use crate::converge::StripeObject;
use crate::repository::{orders, paid_subscriptions};
use crate::stripe::IdempotencyKey;
use async_trait::async_trait;
use eyemotion_core::{Clock, Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_jobs::{Attempt, Enqueue, Handler, Job, JobError, enqueue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long until the server may have a key again.
const NO_KEY: Duration = Duration::from_hours(1);

/// Deletes one of Stripe's customers, whose subscriptions end with it. Enqueued in the transaction
/// that erases the person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndCustomer {
    /// Stripe's id: nothing here tells who it was.
    customer: String,
}

impl Job for EndCustomer {
    const KIND: &'static str = "billing.end_customer";
    const QUEUE: &'static str = "stripe";
    const MAX_ATTEMPTS: i32 = 20;
}

/// Ends somebody's subscription with its period, for they asked for their account's deletion: what
/// is paid for can be used until then, and nothing more is charged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WindDown {
    user: UserId,
}

impl Job for WindDown {
    const KIND: &'static str = "billing.wind_down";
    const QUEUE: &'static str = "stripe";
    const MAX_ATTEMPTS: i32 = 20;
}

/// Has Stripe forget the person, if it knows them.
pub(crate) async fn end_customer(
    tx: &mut Tx,
    clock: &dyn Clock,
    user: UserId,
) -> Result<(), DbError> {
    let Some(customer) = orders::customer(tx, user).await? else {
        return Ok(());
    };
    let options = Enqueue::new().unique_key(format!("end_customer:{customer}"));
    enqueue(tx, clock, &EndCustomer { customer }, options).await?;
    Ok(())
}

/// Has the person's subscription end with its period, if one is paid for.
pub(crate) async fn wind_down(tx: &mut Tx, clock: &dyn Clock, user: UserId) -> Result<(), DbError> {
    let paid = paid_subscriptions::live(tx, user).await?;
    if paid.is_some_and(|paid| !paid.cancel_at_period_end) {
        let options = Enqueue::new()
            .unique_key(format!("wind_down:{user}"))
            .owner(user);
        enqueue(tx, clock, &WindDown { user }, options).await?;
    }
    Ok(())
}

#[async_trait]
impl Handler<EndCustomer> for Arc<PaymentsService> {
    async fn run(&self, job: EndCustomer, _: &Attempt) -> Result<(), JobError> {
        let Ok(stripe) = self.stripe() else {
            return Err(JobError::Snooze(NO_KEY));
        };
        match stripe.delete_customer(&job.customer).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        let mut tx = self.parts.db.begin(&Ctx::system("billing")).await?;
        orders::customer_deleted(&mut tx, &job.customer, self.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl Handler<WindDown> for Arc<PaymentsService> {
    async fn run(&self, job: WindDown, attempt: &Attempt) -> Result<(), JobError> {
        let Ok(stripe) = self.stripe() else {
            return Err(JobError::Snooze(NO_KEY));
        };
        let ctx = Ctx::system("billing");
        let paid = {
            let mut tx = self.parts.db.read(&ctx).await?;
            paid_subscriptions::live(&mut tx, job.user).await?
        };
        let Some(paid) = paid.filter(|paid| !paid.cancel_at_period_end) else {
            return Ok(());
        };
        if let Some(schedule) = &paid.stripe_schedule_id {
            let key = IdempotencyKey::of("release", attempt.id)?;
            stripe.release_schedule(&key, schedule).await?;
        }
        let key = IdempotencyKey::of("cancel", attempt.id)?;
        let form = json!({ "cancel_at_period_end": true });
        stripe
            .update_subscription(&key, &paid.stripe_id, &form)
            .await?;
        let object = StripeObject::Subscription(paid.stripe_id);
        self.converge(&ctx, &object).await?;
        Ok(())
    }
}
