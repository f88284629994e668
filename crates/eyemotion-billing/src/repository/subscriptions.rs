use crate::hot_reads::HotSubscription;
use crate::model::{SubscriptionOverview, SubscriptionStatus};
use crate::period::Period;
use crate::repository::plans::PlanRow;
use crate::schema::{subscription_plans, subscriptions, user_subscriptions};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, UserId};
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// Starts an active subscription that nobody bills.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    user: UserId,
    plan: Uuid,
    period: Period,
) -> Result<(), DbError> {
    diesel::insert_into(subscriptions::table)
        .values((
            subscriptions::id.eq(id),
            subscriptions::user_id.eq(user.0),
            subscriptions::plan_id.eq(plan),
            subscriptions::status.eq(SubscriptionStatus::Active.as_str()),
            subscriptions::current_period_start.eq(period.start),
            subscriptions::current_period_end.eq(period.end),
            subscriptions::created_at.eq(period.start),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// A free subscription whose period is over.
#[derive(Queryable)]
pub(crate) struct DueRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub current_period_end: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub credits_included: i64,
}

/// Free, and not in Stripe's hands: our own clock keeps its periods.
#[diesel::dsl::auto_type(no_type_alias)]
fn due(now: DateTime<Utc>) -> _ {
    let status: &'static str = SubscriptionStatus::Active.as_str();
    subscriptions::table
        .inner_join(subscription_plans::table)
        .filter(subscriptions::status.eq(status))
        .filter(subscriptions::current_period_end.le(now))
        .filter(subscriptions::cancel_at_period_end.eq(false))
        .filter(subscriptions::stripe_subscription_id.is_null())
        .filter(subscription_plans::price.eq(0_i64))
        .select((
            subscriptions::id,
            subscriptions::user_id,
            subscriptions::current_period_end,
            subscriptions::created_at,
            subscription_plans::credits_included,
        ))
}

/// One person's, if it is due.
pub(crate) async fn due_of(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<DueRow>, DbError> {
    Ok(due(now)
        .filter(subscriptions::user_id.eq(user.0))
        .first(tx)
        .await
        .optional()?)
}

/// Those that are due, longest overdue first, after the given one.
pub(crate) async fn all_due(
    tx: &mut Tx,
    now: DateTime<Utc>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<DueRow>, DbError> {
    let (end, id) = after.unwrap_or((DateTime::<Utc>::UNIX_EPOCH, Uuid::nil()));
    Ok(due(now)
        .filter(subscriptions::current_period_end.ge(end))
        .filter(
            subscriptions::current_period_end
                .gt(end)
                .or(subscriptions::id.gt(id)),
        )
        .order((subscriptions::current_period_end, subscriptions::id))
        .limit(limit)
        .load(tx)
        .await?)
}

/// Sets the period, unless somebody else has moved it since it was read.
pub(crate) async fn move_period(
    tx: &mut Tx,
    id: Uuid,
    old_end: DateTime<Utc>,
    period: Period,
) -> Result<bool, DbError> {
    let moved = diesel::update(
        subscriptions::table
            .find(id)
            .filter(subscriptions::current_period_end.eq(old_end)),
    )
    .set((
        subscriptions::current_period_start.eq(period.start),
        subscriptions::current_period_end.eq(period.end),
    ))
    .execute(tx)
    .await?;
    Ok(moved == 1)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = user_subscriptions, check_for_backend(diesel::pg::Pg))]
struct OverviewRow {
    id: Uuid,
    status: String,
    current_period_start: DateTime<Utc>,
    current_period_end: DateTime<Utc>,
    cancel_at_period_end: bool,
    cancelled_at: Option<DateTime<Utc>>,
    trial_end: Option<DateTime<Utc>>,
    credits_included: i64,
    credits_used: i64,
    extra_credits: i64,
    credits_remaining: i64,
    credits_change_at: Option<DateTime<Utc>>,
    storage_used_bytes: i64,
    storage_limit_bytes: i64,
    created_at: DateTime<Utc>,
}

/// A person's live subscription with its plan, and when its credits are others by time alone.
pub(crate) async fn overview(tx: &mut Tx, user: UserId) -> Result<HotSubscription, DbError> {
    let found = user_subscriptions::table
        .inner_join(subscription_plans::table)
        .filter(user_subscriptions::user_id.eq(user.0))
        .filter(
            user_subscriptions::status
                .eq_any(SubscriptionStatus::LIVE.map(SubscriptionStatus::as_str)),
        )
        .select((OverviewRow::as_select(), PlanRow::as_select()))
        .first::<(OverviewRow, PlanRow)>(tx)
        .await
        .optional()?;
    let Some((row, plan)) = found else {
        return Ok(HotSubscription {
            overview: None,
            changes_at: None,
        });
    };
    let changes_at = row.credits_change_at;
    let overview = SubscriptionOverview {
        id: row.id,
        plan: plan.try_into()?,
        status: super::name(&row.status)?,
        current_period_start: row.current_period_start,
        current_period_end: row.current_period_end,
        cancel_at_period_end: row.cancel_at_period_end,
        cancelled_at: row.cancelled_at,
        trial_end: row.trial_end,
        credits_included: Credits(row.credits_included),
        credits_used: Credits(row.credits_used),
        extra_credits: Credits(row.extra_credits),
        credits_remaining: Credits(row.credits_remaining),
        storage_used: row.storage_used_bytes,
        storage_limit: row.storage_limit_bytes,
        created_at: row.created_at,
    };
    Ok(HotSubscription {
        overview: Some(overview),
        changes_at,
    })
}
