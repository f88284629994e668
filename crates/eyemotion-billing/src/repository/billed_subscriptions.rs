//! Subscriptions that Stripe bills, and the free one that takes their place.

use crate::model::SubscriptionStatus;
use crate::period::Period;
use crate::schema::{subscription_plans, subscriptions};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// A subscription as Stripe has it now.
#[derive(Clone, Debug, PartialEq, Insertable, AsChangeset)]
#[diesel(table_name = subscriptions, treat_none_as_null = true)]
pub(crate) struct BilledRow {
    pub user_id: Uuid,
    pub plan_id: Uuid,
    pub status: &'static str,
    pub stripe_customer_id: Option<String>,
    pub stripe_subscription_id: String,
    pub current_period_start: DateTime<Utc>,
    pub current_period_end: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub trial_start: Option<DateTime<Utc>>,
    pub trial_end: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub past_due_since: Option<DateTime<Utc>>,
    pub pending_plan_id: Option<Uuid>,
    pub stripe_schedule_id: Option<String>,
    pub stripe_price_id: Option<String>,
    pub latest_invoice_id: Option<String>,
    pub recurring_amount: i64,
    pub recurring_currency: String,
    pub recurring_interval: String,
    pub recurring_interval_count: i32,
}

impl BilledRow {
    /// Whether it gives its plan.
    pub(crate) fn is_live(&self) -> bool {
        is_live(self.status)
    }
}

fn is_live(status: &str) -> bool {
    SubscriptionStatus::LIVE
        .iter()
        .any(|live| live.as_str() == status)
}

/// A subscription that is known.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = subscriptions, check_for_backend(diesel::pg::Pg))]
pub(crate) struct KnownSubscription {
    pub id: Uuid,
    pub user_id: Uuid,
    pub plan_id: Uuid,
    pub status: String,
    pub stripe_subscription_id: Option<String>,
    pub current_period_start: DateTime<Utc>,
    pub current_period_end: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub past_due_since: Option<DateTime<Utc>>,
    pub trial_start: Option<DateTime<Utc>>,
    pub trial_end: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub latest_invoice_id: Option<String>,
}

impl KnownSubscription {
    /// Whether it gives its plan now.
    pub(crate) fn is_live(&self) -> bool {
        is_live(&self.status)
    }
}

/// The one that Stripe knows by this id.
pub(crate) async fn find(tx: &mut Tx, id: &str) -> Result<Option<KnownSubscription>, DbError> {
    Ok(subscriptions::table
        .filter(subscriptions::stripe_subscription_id.eq(id))
        .select(KnownSubscription::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// A person's live subscription.
pub(crate) async fn live(tx: &mut Tx, user: UserId) -> Result<Option<KnownSubscription>, DbError> {
    Ok(subscriptions::table
        .filter(subscriptions::user_id.eq(user.0))
        .filter(
            subscriptions::status.eq_any(SubscriptionStatus::LIVE.map(SubscriptionStatus::as_str)),
        )
        .select(KnownSubscription::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// A person's subscription to a free plan, live or not.
pub(crate) async fn free(tx: &mut Tx, user: UserId) -> Result<Option<KnownSubscription>, DbError> {
    Ok(subscriptions::table
        .inner_join(subscription_plans::table)
        .filter(subscriptions::user_id.eq(user.0))
        .filter(subscriptions::stripe_subscription_id.is_null())
        .filter(subscription_plans::price.eq(0_i64))
        .order(subscriptions::created_at)
        .select(KnownSubscription::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// Writes one that was not known.
pub(crate) async fn insert(tx: &mut Tx, id: Uuid, row: &BilledRow) -> Result<(), DbError> {
    diesel::insert_into(subscriptions::table)
        .values((subscriptions::id.eq(id), row))
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes a known one equal to this. If that is another state, it began `now`, unless the row tells
/// better.
pub(crate) async fn update(
    tx: &mut Tx,
    id: Uuid,
    row: &BilledRow,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(subscriptions::table.find(id))
        .set((row, subscriptions::state_since.eq(now)))
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends one: another takes its place, or nothing does.
pub(crate) async fn end(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(subscriptions::table.find(id))
        .set((
            subscriptions::status.eq(SubscriptionStatus::Cancelled.as_str()),
            subscriptions::ended_at.eq(at),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Lets a free one go on, in this period.
pub(crate) async fn resume_free(tx: &mut Tx, id: Uuid, period: Period) -> Result<(), DbError> {
    diesel::update(subscriptions::table.find(id))
        .set((
            subscriptions::status.eq(SubscriptionStatus::Active.as_str()),
            subscriptions::ended_at.eq(None::<DateTime<Utc>>),
            subscriptions::current_period_start.eq(period.start),
            subscriptions::current_period_end.eq(period.end),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Stripe's ids of those whose payment has been owed since `since` or longer.
pub(crate) async fn lapsed(tx: &mut Tx, since: DateTime<Utc>) -> Result<Vec<String>, DbError> {
    let found: Vec<Option<String>> = subscriptions::table
        .filter(subscriptions::status.eq(SubscriptionStatus::PastDue.as_str()))
        .filter(subscriptions::past_due_since.le(since))
        .filter(subscriptions::stripe_subscription_id.is_not_null())
        .order(subscriptions::past_due_since)
        .select(subscriptions::stripe_subscription_id)
        .load(tx)
        .await?;
    Ok(found.into_iter().flatten().collect())
}
