//! Subscriptions: which plan, since when, until when.

use super::included::TRIAL;
use super::{ConvergeError, Round};
use crate::ledger::LotGrant;
use crate::model::{LotKind, Plan, SubscriptionStatus};
use crate::repository::billed_subscriptions::{
    self as subscriptions, BilledRow, KnownSubscription,
};
use crate::repository::{lots, plans};
use crate::stripe::objects::{Expandable, Invoice, Price, Subscription, SubscriptionSchedule};
use crate::webhook::CancelLapsed;
use chrono::{DateTime, Utc};
use eyemotion_core::Credits;
use eyemotion_jobs::{Enqueue, enqueue};
use uuid::Uuid;

impl Round<'_> {
    /// Follows a subscription, and returns ours as it is then.
    pub(super) async fn subscription(
        &mut self,
        id: &str,
    ) -> Result<KnownSubscription, ConvergeError> {
        let theirs = self.on.stripe.subscription(id).await?;
        let known = subscriptions::find(self.tx, id).await?;
        let (mut row, plan) = self.row_of(&theirs, known.as_ref()).await?;
        let was_live = known.as_ref().is_some_and(KnownSubscription::is_live);
        if row.is_live() && !was_live {
            if self.is_outdone(&theirs).await? {
                row.status = SubscriptionStatus::Cancelled.as_str();
            } else {
                self.make_way(&plan, theirs.created).await?;
            }
        }
        match &known {
            Some(known) => {
                let now = self.on.clock.now();
                subscriptions::update(self.tx, known.id, &row, now).await?;
            }
            None => subscriptions::insert(self.tx, self.on.clock.new_id(), &row).await?,
        }
        if row.is_live() {
            if known.as_ref().is_some_and(|known| known.plan_id != plan.id) {
                let room = plan.storage_bytes();
                self.on.quota.set_limit(self.tx, self.user, room).await?;
            }
            self.grant_trial(&row, &plan).await?;
        } else if was_live {
            self.fall_back().await?;
        } else {
            self.ensure_free().await?;
        }
        let found = subscriptions::find(self.tx, id).await?;
        found.ok_or_else(|| ConvergeError::NotYet(id.to_owned()))
    }

    async fn row_of(
        &mut self,
        theirs: &Subscription,
        known: Option<&KnownSubscription>,
    ) -> Result<(BilledRow, Plan), ConvergeError> {
        let odd = |what: &str| ConvergeError::Odd(format!("{}: {what}", theirs.id));
        let item = theirs
            .items
            .data
            .first()
            .ok_or_else(|| odd("has no item"))?;
        let plan = self.plan_of(&item.price).await?;
        let mut status = status_of(&theirs.status);
        let mut ended_at = theirs.ended_at;
        let mut past_due_since = None;
        if status == SubscriptionStatus::PastDue {
            let since = self.owed_since(theirs, known).await?;
            let until = since + self.on.grace;
            past_due_since = Some(since);
            if until <= self.on.clock.now() {
                (status, ended_at) = (SubscriptionStatus::Cancelled, Some(until));
                self.cancel_lapsed(&theirs.id).await?;
            }
        }
        let schedule = match &theirs.schedule {
            Some(Expandable::Whole(schedule)) if SubscriptionStatus::LIVE.contains(&status) => {
                Some(&**schedule)
            }
            _ => None,
        };
        let pending_plan = match schedule {
            Some(schedule) => self.pending_plan(schedule, &item.price.id).await?,
            None => None,
        };
        let recurring = item.price.recurring.as_ref();
        let row = BilledRow {
            user_id: self.user.0,
            plan_id: plan.id,
            status: status.as_str(),
            stripe_customer_id: Some(theirs.customer.0.clone()),
            stripe_subscription_id: theirs.id.clone(),
            current_period_start: item.current_period_start,
            current_period_end: item.current_period_end,
            cancel_at_period_end: theirs.cancel_at_period_end,
            cancelled_at: theirs.canceled_at,
            trial_start: theirs.trial_start,
            trial_end: theirs.trial_end,
            created_at: theirs.created,
            ended_at,
            past_due_since,
            pending_plan_id: pending_plan,
            stripe_schedule_id: schedule.map(|schedule| schedule.id.clone()),
            stripe_price_id: Some(item.price.id.clone()),
            latest_invoice_id: theirs.latest_invoice.as_ref().map(invoice_id),
            recurring_amount: recurring_amount(theirs),
            recurring_currency: item.price.currency.to_ascii_uppercase(),
            recurring_interval: recurring
                .map_or("month", |it| it.interval.as_str())
                .to_owned(),
            recurring_interval_count: recurring.map_or(1, |it| it.interval_count),
        };
        Ok((row, plan))
    }

    /// Whether another paid subscription of the same person lives that was made later: two cannot,
    /// and whoever paid twice is for somebody to look at.
    async fn is_outdone(&mut self, theirs: &Subscription) -> Result<bool, ConvergeError> {
        let Some(live) = subscriptions::live(self.tx, self.user).await? else {
            return Ok(false);
        };
        let Some(other) = live.stripe_subscription_id.filter(|id| *id != theirs.id) else {
            return Ok(false);
        };
        // It may have ended without our knowing.
        let other = Box::pin(self.subscription(&other)).await?;
        if !other.is_live() {
            return Ok(false);
        }
        tracing::error!(
            user = %self.user, one = theirs.id, other = other.stripe_subscription_id,
            "somebody has two paid subscriptions: cancel one of them at Stripe and refund it"
        );
        Ok(other.created_at > theirs.created)
    }

    async fn owed_since(
        &self,
        theirs: &Subscription,
        known: Option<&KnownSubscription>,
    ) -> Result<DateTime<Utc>, ConvergeError> {
        if let Some(since) = known.and_then(|known| known.past_due_since) {
            return Ok(since);
        }
        match &theirs.latest_invoice {
            Some(Expandable::Whole(invoice)) => Ok(invoice.created),
            Some(Expandable::Id(id)) => Ok(self.on.stripe.invoice(id).await?.created),
            None => Ok(self.on.clock.now()),
        }
    }

    /// Stripe goes on trying until it is told to stop: by a job, after this transaction.
    async fn cancel_lapsed(&mut self, id: &str) -> Result<(), ConvergeError> {
        let job = CancelLapsed {
            subscription: id.to_owned(),
        };
        let options = Enqueue::new()
            .unique_key(format!("billing.cancel_lapsed:{id}"))
            .owner(self.user);
        enqueue(self.tx, &*self.on.clock, &job, options).await?;
        Ok(())
    }

    /// The plan of the schedule's phase to come, if it is another one.
    async fn pending_plan(
        &mut self,
        schedule: &SubscriptionSchedule,
        present: &str,
    ) -> Result<Option<Uuid>, ConvergeError> {
        let now = self.on.clock.now();
        let next = schedule
            .phases
            .iter()
            .filter(|phase| phase.start_date > now)
            .min_by_key(|phase| phase.start_date);
        let price = next
            .and_then(|phase| phase.items.first())
            .map(|item| &item.price);
        match price {
            Some(price) if price.0 != present => Ok(Some(self.plan_of_price(&price.0).await?.id)),
            _ => Ok(None),
        }
    }

    async fn grant_trial(&mut self, row: &BilledRow, plan: &Plan) -> Result<(), ConvergeError> {
        let is_tried = row.status == SubscriptionStatus::Trialing.as_str();
        let Some(end) = row.trial_end.filter(|_| is_tried) else {
            return Ok(());
        };
        // One trial for a person, whatever becomes of its subscription.
        let grant = LotGrant {
            user: self.user,
            credits: plan.credits_included,
            kind: LotKind::Trial,
            source_type: TRIAL,
            source_id: self.user.to_string(),
            reason: TRIAL.to_owned(),
            expires_at: Some(end),
        };
        self.grant_once(grant).await
    }

    /// Gives what a source brings, unless it has: what the plan brings may have been changed since.
    pub(super) async fn grant_once(&mut self, grant: LotGrant) -> Result<(), ConvergeError> {
        let known = lots::of_source(self.tx, grant.user, grant.source_type, &grant.source_id);
        if grant.credits > Credits(0) && known.await?.is_none() {
            self.on.ledger.grant_lot(self.tx, self.ctx, grant).await?;
        }
        Ok(())
    }

    /// The plan that a price stands for: by our catalogue, else by what we wrote on the price when
    /// it was made; whoever subscribed before a change keeps the old one.
    pub(super) async fn plan_of(&mut self, price: &Price) -> Result<Plan, ConvergeError> {
        if let Some(plan) = plans::of_price(self.tx, &price.id).await? {
            return Ok(plan);
        }
        let (name, interval) = written_on(price);
        let found = match &name {
            Some(name) => plans::named(self.tx, name, interval).await?,
            None => None,
        };
        found.ok_or_else(|| ConvergeError::Odd(format!("{} is the price of no plan", price.id)))
    }

    /// The same of a price of which only the id is known.
    pub(super) async fn plan_of_price(&mut self, id: &str) -> Result<Plan, ConvergeError> {
        if let Some(plan) = plans::of_price(self.tx, id).await? {
            return Ok(plan);
        }
        let price = self.on.stripe.price(id).await?;
        self.plan_of(&price).await
    }
}

/// Ours for Stripe's word (docs.stripe.com/api/subscriptions/object#subscription_object-status):
/// unpaid, paused and what never began give no plan.
fn status_of(theirs: &str) -> SubscriptionStatus {
    match theirs {
        "active" => SubscriptionStatus::Active,
        "trialing" => SubscriptionStatus::Trialing,
        "past_due" => SubscriptionStatus::PastDue,
        "incomplete" => SubscriptionStatus::Incomplete,
        _ => SubscriptionStatus::Cancelled,
    }
}

fn invoice_id(invoice: &Expandable<Invoice>) -> String {
    match invoice {
        Expandable::Id(id) => id.clone(),
        Expandable::Whole(invoice) => invoice.id.clone(),
    }
}

/// The plan's name and interval as the price bears them: in its metadata, or in the lookup key
/// `name:interval:currency`, which a newer price may have taken away.
fn written_on(price: &Price) -> (Option<String>, &str) {
    let interval = price
        .recurring
        .as_ref()
        .map_or("month", |it| it.interval.as_str());
    let written = ["plan_name", "plan"]
        .iter()
        .find_map(|key| price.metadata.get(*key));
    let name = written.map(String::as_str).or_else(|| {
        let key = price.lookup_key.as_deref()?;
        key.split(':').next()
    });
    (name.map(str::to_owned), interval)
}

/// What each interval is billed, discounts that last for ever taken off, rounded once, half up as
/// Stripe does.
fn recurring_amount(theirs: &Subscription) -> i64 {
    let whole: i64 = theirs
        .items
        .data
        .iter()
        .map(|item| {
            item.price
                .unit_amount
                .unwrap_or_default()
                .saturating_mul(item.quantity)
        })
        .sum();
    let forever = theirs
        .discounts
        .iter()
        .filter_map(|discount| discount.whole()?.coupon())
        .filter(|coupon| coupon.duration == "forever");
    let left = forever.fold(whole, |left, coupon| {
        match (coupon.amount_off, coupon.percent_off) {
            (Some(off), _) => left.saturating_sub(off),
            (None, Some(percent)) => left.saturating_sub(percent_of(left, percent)),
            (None, None) => left,
        }
    });
    left.max(0)
}

/// Stripe's percentages have two decimals.
fn percent_of(amount: i64, percent: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "0 to 10000")]
    let hundredths = (percent.clamp(0.0, 100.0) * 100.0).round() as i128;
    let off = (i128::from(amount) * hundredths + 5_000) / 10_000;
    i64::try_from(off).unwrap_or(amount)
}
