//! The subscription that a person pays for, and what was asked of it.

use crate::model::SubscriptionStatus;
use crate::schema::{subscription_changes, subscriptions};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// A live subscription in Stripe's hands.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = subscriptions, check_for_backend(diesel::pg::Pg))]
pub(crate) struct PaidRow {
    pub id: Uuid,
    pub plan_id: Uuid,
    #[diesel(select_expression = subscriptions::stripe_subscription_id.assume_not_null())]
    pub stripe_id: String,
    pub cancel_at_period_end: bool,
    pub pending_plan_id: Option<Uuid>,
    pub stripe_schedule_id: Option<String>,
}

/// The person's, if one is live.
pub(crate) async fn live(tx: &mut Tx, user: UserId) -> Result<Option<PaidRow>, DbError> {
    let live = SubscriptionStatus::LIVE.map(SubscriptionStatus::as_str);
    Ok(subscriptions::table
        .filter(subscriptions::user_id.eq(user.0))
        .filter(subscriptions::status.eq_any(live))
        .filter(subscriptions::stripe_subscription_id.is_not_null())
        .select(PaidRow::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// Whether the person has paid for one that has ended.
pub(crate) async fn has_ended(tx: &mut Tx, user: UserId) -> Result<bool, DbError> {
    let ended: i64 = subscriptions::table
        .filter(subscriptions::user_id.eq(user.0))
        .filter(subscriptions::stripe_subscription_id.is_not_null())
        .filter(subscriptions::status.eq(SubscriptionStatus::Cancelled.as_str()))
        .count()
        .get_result(tx)
        .await?;
    Ok(ended > 0)
}

/// Writes down what is going to be asked of Stripe.
pub(crate) async fn ask(
    tx: &mut Tx,
    id: Uuid,
    user: UserId,
    subscription: Uuid,
    kind: &'static str,
    plan: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(subscription_changes::table)
        .values((
            subscription_changes::id.eq(id),
            subscription_changes::user_id.eq(user.0),
            subscription_changes::subscription_id.eq(subscription),
            subscription_changes::kind.eq(kind),
            subscription_changes::plan_id.eq(plan),
            subscription_changes::created_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes down what Stripe answered: `done` or `refused`.
pub(crate) async fn settle(
    tx: &mut Tx,
    id: Uuid,
    status: &'static str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(subscription_changes::table.find(id))
        .set((
            subscription_changes::status.eq(status),
            subscription_changes::settled_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(())
}
