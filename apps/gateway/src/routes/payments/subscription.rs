use crate::extract::Caller;
use crate::failures::{Absent, Always, SignedIn};
use crate::names::SubscriptionStatus;
use crate::problem::ApiError;
use crate::routes::payments::view::{PeriodView, PlanView};
use crate::services::Services;
use crate::wire::{Success, Timestamp};
use actix_web::{HttpResponse, get, web};
use eyemotion_billing::SubscriptionOverview;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The caller's live subscription.
#[derive(Serialize, ToSchema)]
struct SubscriptionAnswer {
    success: Success,
    subscription: SubscriptionView,
}

/// A live subscription.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SubscriptionView {
    id: Uuid,
    plan: PlanView,
    #[schema(value_type = SubscriptionStatus)]
    status: &'static str,
    current_period: PeriodView,
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
            status: it.status.as_str(),
            current_period: PeriodView {
                start: it.current_period_start.into(),
                end: it.current_period_end.into(),
            },
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

/// Returns the caller's live subscription.
#[utoipa::path(
    operation_id = "getSubscription",
    tag = "payments",
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription", body = SubscriptionAnswer), SignedIn, Absent, Always)
)]
#[get("/payments/subscription")]
pub(super) async fn get_subscription(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let subscription = services.billing.subscription(&caller.ctx).await?;
    Ok(HttpResponse::Ok().json(SubscriptionAnswer {
        success: Success,
        subscription: subscription.into(),
    }))
}
