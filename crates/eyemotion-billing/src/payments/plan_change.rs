//! Cancelling, going on, and other plans. What is asked of Stripe is written down first; its id
//! makes the keys. Asking anew after a lost answer leads to the same end, for Stripe is told what
//! shall be, not what shall change.

use super::service::{PaymentsService, caller};
use super::{PaymentError, PlanChange};
use crate::converge::StripeObject;
use crate::model::{BillingInterval, Plan};
use crate::repository::paid_subscriptions::{self, PaidRow};
use crate::repository::plans;
use crate::stripe::objects::{Expandable, Invoice, Subscription, SubscriptionItem};
use crate::stripe::{IdempotencyKey, StripeError};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use eyemotion_core::{Ctx, Money, UserId};
use serde_json::{Value, json};
use std::error::Error;
use uuid::Uuid;

/// How long the amount of a preview can be had.
const PREVIEW_LASTS: TimeDelta = TimeDelta::minutes(10);

/// Where a change of plan starts from.
struct Ground {
    user: UserId,
    paid: PaidRow,
    current: Plan,
    theirs: Subscription,
    item: SubscriptionItem,
}

impl PaymentsService {
    pub(super) async fn end_with_period(
        &self,
        ctx: &Ctx,
        user: UserId,
    ) -> Result<(), PaymentError> {
        self.stripe()?;
        let paid = self.paid(ctx, user).await?;
        if paid.cancel_at_period_end {
            return Ok(());
        }
        self.set_cancelling(ctx, user, &paid, true).await
    }

    pub(super) async fn go_on(&self, ctx: &Ctx, user: UserId) -> Result<(), PaymentError> {
        self.stripe()?;
        let paid = match self.paid(ctx, user).await {
            Err(PaymentError::SubscriptionNotFound) => {
                let mut tx = self.parts.db.read(ctx).await?;
                let ended = paid_subscriptions::has_ended(&mut tx, user).await?;
                return Err(if ended {
                    PaymentError::SubscriptionEnded
                } else {
                    PaymentError::SubscriptionNotFound
                });
            }
            paid => paid?,
        };
        if !paid.cancel_at_period_end {
            return Ok(());
        }
        match self.set_cancelling(ctx, user, &paid, false).await {
            // Its end has come, and we have not heard of it.
            Err(PaymentError::Stripe(error)) if !error.is_retryable() => {
                let object = StripeObject::Subscription(paid.stripe_id);
                self.converge(ctx, &object).await?;
                Err(PaymentError::SubscriptionEnded)
            }
            done => done,
        }
    }

    async fn set_cancelling(
        &self,
        ctx: &Ctx,
        user: UserId,
        paid: &PaidRow,
        cancelling: bool,
    ) -> Result<(), PaymentError> {
        let (kind, action) = if cancelling {
            ("cancel", "subscription.cancelled")
        } else {
            ("resume", "subscription.resumed")
        };
        let change = self.ask(ctx, user, paid, kind, None).await?;
        let stripe = self.stripe()?;
        let done = async {
            // Stripe takes no end from outside while a schedule plans the subscription.
            if let Some(schedule) = &paid.stripe_schedule_id {
                let key = IdempotencyKey::of("release", change)?;
                stripe.release_schedule(&key, schedule).await?;
            }
            let key = IdempotencyKey::of(kind, change)?;
            let form = json!({ "cancel_at_period_end": cancelling });
            stripe
                .update_subscription(&key, &paid.stripe_id, &form)
                .await
        }
        .await;
        self.settle(ctx, change, done, action, json!({})).await?;
        let object = StripeObject::Subscription(paid.stripe_id.clone());
        self.converge(ctx, &object).await
    }

    pub(super) async fn preview(&self, ctx: &Ctx, plan: &str) -> Result<PlanChange, PaymentError> {
        let (ground, plan, price) = self.ground(ctx, plan).await?;
        if !is_upgrade(&ground.current, &plan) {
            return Ok(later(&ground, &plan));
        }
        let from = self.now().trunc_subsecs(0);
        let form = json!({
            "customer": ground.theirs.customer.0,
            "subscription": ground.paid.stripe_id,
            "subscription_details": {
                "items": [{ "id": ground.item.id, "price": price, "quantity": ground.item.quantity }],
                "proration_behavior": "always_invoice",
                "proration_date": from.timestamp(),
            },
        });
        // Stripe keeps nothing of it, so that there is no row whose id could be the key.
        let key = IdempotencyKey::of("preview", self.parts.clock.new_id())?;
        let invoice = self.stripe()?.create_preview(&key, &form).await?;
        Ok(PlanChange {
            due: due(&invoice),
            ..now(&plan, from)
        })
    }

    pub(super) async fn change(
        &self,
        ctx: &Ctx,
        plan: &str,
        proration_date: Option<DateTime<Utc>>,
    ) -> Result<PlanChange, PaymentError> {
        let from = self.proration_date(proration_date)?;
        let (ground, plan, price) = self.ground(ctx, plan).await?;
        if ground.current.id == plan.id {
            self.undo_downgrade(ctx, &ground).await?;
            return Ok(later(&ground, &plan));
        }
        if is_upgrade(&ground.current, &plan) {
            self.upgrade(ctx, &ground, &plan, &price, from).await
        } else {
            self.downgrade(ctx, &ground, &plan, &price).await?;
            Ok(later(&ground, &plan))
        }
    }

    /// An older one could be chosen so that the rest of the period costs less.
    fn proration_date(&self, wanted: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, PaymentError> {
        let now = self.now().trunc_subsecs(0);
        let wanted = wanted.map_or(now, |wanted| wanted.trunc_subsecs(0));
        if (now - PREVIEW_LASTS..=now).contains(&wanted) {
            return Ok(wanted);
        }
        let detail = "must be that of a preview of the last ten minutes";
        Err(PaymentError::invalid(
            "/prorationDate",
            "out_of_range",
            detail,
        ))
    }

    async fn ground(&self, ctx: &Ctx, plan: &str) -> Result<(Ground, Plan, String), PaymentError> {
        let user = caller(ctx)?;
        let stripe = self.stripe()?;
        let (plan, price) = self.paid_plan(ctx, plan).await?;
        let paid = self.paid(ctx, user).await?;
        if paid.plan_id == plan.id && paid.pending_plan_id.is_none() {
            return Err(PaymentError::PlanUnchanged);
        }
        let current = {
            let mut tx = self.parts.db.read(ctx).await?;
            plans::find(&mut tx, paid.plan_id).await?
        };
        let theirs = stripe.subscription(&paid.stripe_id).await?;
        let item = theirs.items.data.first().cloned();
        let item = item.ok_or(PaymentError::SubscriptionNotFound)?;
        let ground = Ground {
            user,
            paid,
            current,
            theirs,
            item,
        };
        Ok((ground, plan, price))
    }

    async fn upgrade(
        &self,
        ctx: &Ctx,
        ground: &Ground,
        plan: &Plan,
        price: &str,
        from: DateTime<Utc>,
    ) -> Result<PlanChange, PaymentError> {
        let stripe = self.stripe()?;
        let change = self
            .ask(ctx, ground.user, &ground.paid, "upgrade", Some(plan.id))
            .await?;
        let done = async {
            if let Some(schedule) = schedule_of(ground) {
                let key = IdempotencyKey::of("release", change)?;
                stripe.release_schedule(&key, schedule).await?;
            }
            let form = json!({
                "items": [{ "id": ground.item.id, "price": price, "quantity": ground.item.quantity }],
                "proration_behavior": "always_invoice",
                "proration_date": from.timestamp(),
                // What is not paid for does not happen.
                "payment_behavior": "pending_if_incomplete",
                "expand": ["latest_invoice"],
            });
            let key = IdempotencyKey::of("upgrade", change)?;
            let changed = stripe.update_subscription(&key, &ground.theirs.id, &form).await?;
            if ground.theirs.cancel_at_period_end && changed.pending_update.is_none() {
                // Who takes more means to stay.
                let key = IdempotencyKey::of("resume", change)?;
                let form = json!({ "cancel_at_period_end": false });
                stripe.update_subscription(&key, &ground.theirs.id, &form).await?;
            }
            Ok(changed)
        }
        .await;
        let details = json!({ "plan": plan.name });
        let action = "subscription.upgraded";
        let changed = self.settle(ctx, change, done, action, details).await?;
        let invoice = changed.latest_invoice.as_ref();
        let invoice = invoice.and_then(Expandable::whole);
        let invoice = invoice.ok_or_else(|| no_invoice(&changed.id))?;
        if changed.pending_update.is_some() {
            let invoice = stripe.invoice(&invoice.id).await?;
            return Err(PaymentError::ConfirmationNeeded {
                client_secret: invoice.confirmation_secret.map(|it| it.client_secret),
                invoice_url: invoice.hosted_invoice_url,
            });
        }
        self.converge(ctx, &StripeObject::Subscription(changed.id.clone()))
            .await?;
        self.converge(ctx, &StripeObject::Invoice(invoice.id.clone()))
            .await?;
        Ok(PlanChange {
            due: due(invoice),
            ..now(plan, from)
        })
    }

    async fn downgrade(
        &self,
        ctx: &Ctx,
        ground: &Ground,
        plan: &Plan,
        price: &str,
    ) -> Result<(), PaymentError> {
        let stripe = self.stripe()?;
        let change = self
            .ask(ctx, ground.user, &ground.paid, "downgrade", Some(plan.id))
            .await?;
        let done = async {
            if ground.theirs.cancel_at_period_end {
                let key = IdempotencyKey::of("resume", change)?;
                let form = json!({ "cancel_at_period_end": false });
                stripe
                    .update_subscription(&key, &ground.theirs.id, &form)
                    .await?;
            }
            let planned = if let Some(id) = schedule_of(ground) {
                stripe.subscription_schedule(id).await?
            } else {
                let key = IdempotencyKey::of("schedule", change)?;
                stripe.create_schedule(&key, &ground.theirs.id).await?
            };
            let begin = planned
                .phases
                .first()
                .map(|phase| phase.start_date.timestamp());
            let item = &ground.item;
            let form = json!({
                "end_behavior": "release",
                "phases": [{
                    "items": [{ "price": item.price.id, "quantity": item.quantity }],
                    "start_date": begin,
                    "end_date": item.current_period_end.timestamp(),
                    "proration_behavior": "none",
                }, {
                    "items": [{ "price": price, "quantity": item.quantity }],
                    "duration": { "interval": plan.interval.as_str(), "interval_count": 1 },
                    "proration_behavior": "none",
                }],
            });
            let key = IdempotencyKey::of("phases", change)?;
            stripe.update_schedule(&key, &planned.id, &form).await
        }
        .await;
        let details = json!({ "plan": plan.name });
        let action = "subscription.downgrade_planned";
        self.settle(ctx, change, done, action, details).await?;
        let object = StripeObject::Subscription(ground.theirs.id.clone());
        self.converge(ctx, &object).await
    }

    async fn undo_downgrade(&self, ctx: &Ctx, ground: &Ground) -> Result<(), PaymentError> {
        let change = self
            .ask(ctx, ground.user, &ground.paid, "undo_downgrade", None)
            .await?;
        let stripe = self.stripe()?;
        let done = async {
            if let Some(schedule) = schedule_of(ground) {
                let key = IdempotencyKey::of("release", change)?;
                stripe.release_schedule(&key, schedule).await?;
            }
            Ok(())
        }
        .await;
        let action = "subscription.downgrade_undone";
        self.settle(ctx, change, done, action, json!({})).await?;
        let object = StripeObject::Subscription(ground.theirs.id.clone());
        self.converge(ctx, &object).await
    }

    async fn paid(&self, ctx: &Ctx, user: UserId) -> Result<PaidRow, PaymentError> {
        let mut tx = self.parts.db.read(ctx).await?;
        let paid = paid_subscriptions::live(&mut tx, user).await?;
        paid.ok_or(PaymentError::SubscriptionNotFound)
    }

    /// Writes down what is going to be asked of Stripe; the keys of the calls are made of its id.
    async fn ask(
        &self,
        ctx: &Ctx,
        user: UserId,
        paid: &PaidRow,
        kind: &'static str,
        plan: Option<Uuid>,
    ) -> Result<Uuid, PaymentError> {
        let id = self.parts.clock.new_id();
        let mut tx = self.parts.db.begin_for(ctx).await?;
        paid_subscriptions::ask(&mut tx, id, user, paid.id, kind, plan, self.now()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Writes down what came of it. Where that is not known, it stays asked.
    async fn settle<T>(
        &self,
        ctx: &Ctx,
        change: Uuid,
        answer: Result<T, StripeError>,
        action: &'static str,
        details: Value,
    ) -> Result<T, PaymentError> {
        let status = match &answer {
            Ok(_) => "done",
            Err(error) if error.is_retryable() => return Ok(answer?),
            Err(error) => {
                tracing::warn!(%change, error = error as &dyn Error, "Stripe refuses a change");
                "refused"
            }
        };
        let mut tx = self.parts.db.begin_for(ctx).await?;
        paid_subscriptions::settle(&mut tx, change, status, self.now()).await?;
        if answer.is_ok() {
            self.record(ctx, &mut tx, action, change, details).await?;
        }
        tx.commit().await?;
        Ok(answer?)
    }
}

/// The rate for a year, so that a month's and a year's can be compared.
fn is_upgrade(from: &Plan, to: &Plan) -> bool {
    let yearly = |plan: &Plan| match plan.interval {
        BillingInterval::Month => plan.price.amount.saturating_mul(12),
        BillingInterval::Year => plan.price.amount,
    };
    yearly(to) >= yearly(from) && to.id != from.id
}

fn schedule_of(ground: &Ground) -> Option<&str> {
    match ground.theirs.schedule.as_ref()? {
        Expandable::Id(id) => Some(id),
        Expandable::Whole(schedule) => Some(&schedule.id),
    }
}

fn due(invoice: &Invoice) -> Money {
    Money {
        amount: invoice.amount_due,
        currency: invoice.currency.to_ascii_uppercase(),
    }
}

/// A change that happens at once; what it costs is still to be said.
fn now(plan: &Plan, from: DateTime<Utc>) -> PlanChange {
    PlanChange {
        plan: plan.name.clone(),
        now: true,
        effective_at: from,
        due: Money {
            amount: 0,
            currency: plan.price.currency.clone(),
        },
        proration_date: Some(from),
    }
}

/// A change that happens with the next period, and costs nothing before.
fn later(ground: &Ground, plan: &Plan) -> PlanChange {
    PlanChange {
        now: false,
        effective_at: ground.item.current_period_end,
        proration_date: None,
        ..now(plan, ground.item.current_period_end)
    }
}

fn no_invoice(subscription: &str) -> StripeError {
    StripeError::Decode(format!("{subscription} was changed without an invoice").into())
}
