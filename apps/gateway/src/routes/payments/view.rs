use crate::names::{BillingInterval, SubscriptionStatus};
use crate::wire::{Success, Timestamp};
use eyemotion_billing::{Checkout, Plan, PlanChange, SubscriptionOverview};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A plan on sale.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    id: Uuid,
    #[schema(example = "creator")]
    name: String,
    display_name: String,
    description: String,
    /// Minor units of `currency`: satang for THB.
    #[schema(maximum = 9_007_199_254_740_991_i64, example = 29900)]
    price: i64,
    #[schema(example = "THB")]
    currency: String,
    #[schema(value_type = BillingInterval)]
    billing_interval: Cow<'static, str>,
    /// Credits for each period.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_included: i64,
    /// Gigabytes of 2^30 bytes.
    storage_gb: i32,
    #[schema(value_type = Vec<String>)]
    features: Value,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        Self {
            id: plan.id,
            name: plan.name,
            display_name: plan.display_name,
            description: plan.description,
            price: plan.price.amount,
            currency: plan.price.currency,
            billing_interval: plan.interval.as_str().into(),
            credits_included: plan.credits_included.0,
            storage_gb: plan.storage_gb,
            features: plan.features.into(),
        }
    }
}

impl From<eyemotion_auth::Plan> for PlanView {
    fn from(plan: eyemotion_auth::Plan) -> Self {
        Self {
            id: plan.id,
            name: plan.name,
            display_name: plan.display_name,
            description: plan.description,
            price: plan.price.amount,
            currency: plan.price.currency,
            billing_interval: plan.billing_interval.into(),
            credits_included: plan.credits_included.0,
            storage_gb: plan.storage_gb,
            features: plan.features,
        }
    }
}

/// A live subscription with its plan and the credits left.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionView {
    id: Uuid,
    plan: PlanView,
    #[schema(value_type = SubscriptionStatus)]
    status: Cow<'static, str>,
    current_period_start: Timestamp,
    current_period_end: Timestamp,
    cancel_at_period_end: bool,
    cancelled_at: Option<Timestamp>,
    trial_end: Option<Timestamp>,
    /// What came with the plan in this period.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_included: i64,
    /// What of that is spent.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_used: i64,
    /// What is left of bought and given credits.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    extra_credits: i64,
    /// What can be spent now.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_remaining: i64,
    /// Bytes in use.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    storage_used: i64,
    /// Bytes that may be in use.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    storage_limit: i64,
    created_at: Timestamp,
}

impl From<SubscriptionOverview> for SubscriptionView {
    fn from(it: SubscriptionOverview) -> Self {
        Self {
            id: it.id,
            plan: it.plan.into(),
            status: it.status.as_str().into(),
            current_period_start: it.current_period_start.into(),
            current_period_end: it.current_period_end.into(),
            cancel_at_period_end: it.cancel_at_period_end,
            cancelled_at: it.cancelled_at.map(Timestamp),
            trial_end: it.trial_end.map(Timestamp),
            credits_included: it.credits_included.0,
            credits_used: it.credits_used.0,
            extra_credits: it.extra_credits.0,
            credits_remaining: it.credits_remaining.0,
            storage_used: it.storage_used,
            storage_limit: it.storage_limit,
            created_at: it.created_at.into(),
        }
    }
}

impl From<eyemotion_auth::Subscription> for SubscriptionView {
    fn from(it: eyemotion_auth::Subscription) -> Self {
        Self {
            id: it.id,
            plan: it.plan.into(),
            status: it.status.into(),
            current_period_start: it.current_period_start.into(),
            current_period_end: it.current_period_end.into(),
            cancel_at_period_end: it.cancel_at_period_end,
            cancelled_at: it.cancelled_at.map(Timestamp),
            trial_end: it.trial_end.map(Timestamp),
            credits_included: it.credits_included.0,
            credits_used: it.credits_used.0,
            extra_credits: it.extra_credits.0,
            credits_remaining: it.credits_remaining.0,
            storage_used: it.storage_used_bytes,
            storage_limit: it.storage_limit_bytes,
            created_at: it.created_at.into(),
        }
    }
}

/// A page on which somebody pays.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckoutAnswer {
    success: Success,
    session_id: String,
    checkout_url: String,
}

impl From<Checkout> for CheckoutAnswer {
    fn from(checkout: Checkout) -> Self {
        Self {
            success: Success,
            session_id: checkout.session,
            checkout_url: checkout.url,
        }
    }
}

/// A subscription after a change.
#[derive(Serialize, ToSchema)]
pub(super) struct SubscriptionChangeAnswer {
    success: Success,
    message: &'static str,
    subscription: SubscriptionView,
}

impl SubscriptionChangeAnswer {
    pub(super) fn new(message: &'static str, subscription: SubscriptionOverview) -> Self {
        Self {
            success: Success,
            message,
            subscription: subscription.into(),
        }
    }
}

/// A change of plan, made or to be made.
#[derive(Serialize, ToSchema)]
pub(super) struct PlanChangeAnswer {
    success: Success,
    change: PlanChangeView,
}

/// When a plan changes and what that costs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanChangeView {
    #[schema(example = "pro")]
    plan_name: String,
    /// Now, or with the next period.
    immediate: bool,
    effective_at: Timestamp,
    /// What is charged now, in minor units of `currency`.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    amount_due: i64,
    #[schema(example = "THB")]
    currency: String,
    /// Given back with the change, it keeps the amount.
    proration_date: Option<Timestamp>,
}

impl From<PlanChange> for PlanChangeAnswer {
    fn from(it: PlanChange) -> Self {
        Self {
            success: Success,
            change: PlanChangeView {
                plan_name: it.plan,
                immediate: it.now,
                effective_at: it.effective_at.into(),
                amount_due: it.due.amount,
                currency: it.due.currency,
                proration_date: it.proration_date.map(Timestamp),
            },
        }
    }
}
