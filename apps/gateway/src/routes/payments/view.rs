use crate::names::BillingInterval;
use crate::wire::Timestamp;
use eyemotion_billing::Plan;
use serde::Serialize;
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
    billing_interval: &'static str,
    /// Credits for each period.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_included: i64,
    /// Gigabytes of 2^30 bytes.
    storage_gb: i32,
    features: Vec<String>,
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
            billing_interval: plan.interval.as_str(),
            credits_included: plan.credits_included.0,
            storage_gb: plan.storage_gb,
            features: plan.features,
        }
    }
}

/// Whose period it is.
#[derive(Serialize, ToSchema)]
pub struct PeriodView {
    /// First moment.
    pub start: Timestamp,
    /// First moment after it.
    pub end: Timestamp,
}
