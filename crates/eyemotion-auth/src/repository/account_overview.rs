//! The view has more columns than Diesel's tables may have, so its query is written out. It is a
//! query fragment of its own, which is prepared once for each connection.

use crate::model::{AccountOverview, Plan, Subscription};
use crate::repository::profiles::ProfileRow;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Int4, Int8, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, Money, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

const SELECT: &str = "SELECT \
    id, full_name, company_name, industry, country, phone, avatar_url, role, preferences, \
    onboarding_completed, email_verified, last_login_at, version, created_at, updated_at, \
    email, credits_change_at, \
    subscription_id, status, current_period_start, current_period_end, cancel_at_period_end, \
    cancelled_at, trial_end, credits_included, credits_used, extra_credits, credits_remaining, \
    storage_used_bytes, storage_limit_bytes, subscription_created_at, \
    plan_id, plan_name, plan_display_name, plan_description, plan_price, plan_currency, \
    plan_billing_interval, plan_credits_included, plan_storage_gb, plan_features \
    FROM public.account_overview WHERE id = ";

type ProfileSql = (
    SqlUuid,
    Text,
    Nullable<Text>,
    Text,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    Text,
    Jsonb,
    Bool,
    Bool,
    Nullable<Timestamptz>,
    Int8,
    Timestamptz,
    Timestamptz,
);
type SubscriptionSql = (
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Bool>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Int8>,
    Nullable<Int8>,
    Nullable<Int8>,
    Nullable<Int8>,
    Nullable<Int8>,
    Nullable<Int8>,
    Nullable<Timestamptz>,
);
type PlanSql = (
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Int8>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Int8>,
    Nullable<Int4>,
    Nullable<Jsonb>,
);

#[derive(QueryId)]
struct OverviewOf {
    user: Uuid,
}

impl QueryFragment<Pg> for OverviewOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(SELECT);
        out.push_bind_param::<SqlUuid, _>(&self.user)
    }
}

impl Query for OverviewOf {
    type SqlType = (
        ProfileSql,
        Text,
        Nullable<Timestamptz>,
        SubscriptionSql,
        PlanSql,
    );
}

#[derive(Queryable)]
pub(crate) struct OverviewRow {
    profile: ProfileRow,
    email: String,
    /// When the credits in it are others without any change; none: never.
    pub(crate) credits_change_at: Option<DateTime<Utc>>,
    subscription: SubscriptionRow,
    plan: PlanRow,
}

#[derive(Queryable)]
pub(crate) struct SubscriptionRow {
    id: Option<Uuid>,
    status: Option<String>,
    current_period_start: Option<DateTime<Utc>>,
    current_period_end: Option<DateTime<Utc>>,
    cancel_at_period_end: Option<bool>,
    cancelled_at: Option<DateTime<Utc>>,
    trial_end: Option<DateTime<Utc>>,
    credits_included: Option<i64>,
    credits_used: Option<i64>,
    extra_credits: Option<i64>,
    credits_remaining: Option<i64>,
    storage_used_bytes: Option<i64>,
    storage_limit_bytes: Option<i64>,
    created_at: Option<DateTime<Utc>>,
}

#[derive(Queryable)]
pub(crate) struct PlanRow {
    id: Option<Uuid>,
    name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    price: Option<i64>,
    currency: Option<String>,
    billing_interval: Option<String>,
    credits_included: Option<i64>,
    storage_gb: Option<i32>,
    features: Option<Value>,
}

impl OverviewRow {
    pub(crate) fn into_overview(self) -> Result<AccountOverview, DbError> {
        Ok(AccountOverview {
            id: UserId(self.profile.id),
            email: self.email,
            profile: self.profile.into_profile()?,
            subscription: self
                .plan
                .into_plan()
                .and_then(|plan| self.subscription.with(plan)),
        })
    }
}

impl SubscriptionRow {
    /// None if the left join found nothing.
    fn with(self, plan: Plan) -> Option<Subscription> {
        Some(Subscription {
            id: self.id?,
            plan,
            status: self.status?,
            current_period_start: self.current_period_start?,
            current_period_end: self.current_period_end?,
            cancel_at_period_end: self.cancel_at_period_end?,
            cancelled_at: self.cancelled_at,
            trial_end: self.trial_end,
            credits_included: Credits(self.credits_included?),
            credits_used: Credits(self.credits_used?),
            extra_credits: Credits(self.extra_credits?),
            credits_remaining: Credits(self.credits_remaining?),
            storage_used_bytes: self.storage_used_bytes?,
            storage_limit_bytes: self.storage_limit_bytes?,
            created_at: self.created_at?,
        })
    }
}

impl PlanRow {
    fn into_plan(self) -> Option<Plan> {
        Some(Plan {
            id: self.id?,
            name: self.name?,
            display_name: self.display_name?,
            description: self.description?,
            price: Money {
                amount: self.price?,
                currency: self.currency?,
            },
            billing_interval: self.billing_interval?,
            credits_included: Credits(self.credits_included?),
            storage_gb: self.storage_gb?,
            features: self.features?,
        })
    }
}

/// The overview of `user`, if the caller may see it.
pub(crate) async fn find(tx: &mut Tx, user: UserId) -> QueryResult<Option<OverviewRow>> {
    OverviewOf { user: user.0 }.get_result(tx).await.optional()
}
