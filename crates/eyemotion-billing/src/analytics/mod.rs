//! The figures of the business, made of rows for each day (`migrations/sql/45_analytics.sql`).
//! Amounts are exact; what they mean follows Stripe's glossary
//! (docs.stripe.com/billing/subscriptions/analytics).

mod build;
mod figures;
mod jobs;
mod reading;
mod report;
mod service;

pub use build::AnalyticsService;
pub use figures::{Movements, Revenue, RollForward, Summary};
pub use jobs::RefreshAnalytics;
pub use report::{
    BusinessFigures, Cohort, CohortMonth, CreditFigures, DayFigures, Financial, MrrOfPlan,
    PlanFigures, PlanSubscriptions, ReportPeriod, TransactionLine,
};
pub use service::{Analytics, AnalyticsConfig};

use chrono::{DateTime, NaiveDate, Utc};

/// Until when the days are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltUntil {
    /// The last of them, in the report's time zone; it was not over.
    pub last_day: NaiveDate,
    /// When they were last brought up to date.
    pub as_of: DateTime<Utc>,
}
