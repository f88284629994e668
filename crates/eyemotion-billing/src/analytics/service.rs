use crate::analytics::{
    BuiltUntil, BusinessFigures, Cohort, Financial, MrrOfPlan, ReportPeriod, RollForward,
};
use crate::error::BillingError;
use async_trait::async_trait;
use chrono::NaiveDate;
use eyemotion_core::Ctx;

/// The figures of the business, for admins and the system; everybody else gets
/// [`BillingError::Forbidden`].
///
/// Figures are never older than a minute: who asks for older ones has them brought up to date
/// first. Days are those of the report's time zone.
#[async_trait]
pub trait Analytics: Send + Sync {
    /// A period that ends today. `currency`: ISO 4217, none: the platform's own.
    ///
    /// # Errors
    /// [`BillingError::Invalid`] unless `currency` is three capital letters.
    async fn financial(
        &self,
        ctx: &Ctx,
        period: ReportPeriod,
        currency: Option<String>,
    ) -> Result<Financial, BillingError>;

    /// What the first page for operators shows.
    async fn business(&self, ctx: &Ctx) -> Result<BusinessFigures, BillingError>;

    /// Monthly recurring revenue of each plan at the end of a day, by the plan's name.
    async fn mrr(
        &self,
        ctx: &Ctx,
        day: NaiveDate,
        currency: &str,
    ) -> Result<Vec<MrrOfPlan>, BillingError>;

    /// Who began to pay in which month, and how many of them stayed; the first month first.
    async fn cohorts(
        &self,
        ctx: &Ctx,
        currency: Option<String>,
    ) -> Result<Vec<Cohort>, BillingError>;

    /// Each day from `from` to `to` on which there was monthly recurring revenue, or some moved.
    async fn roll_forward(
        &self,
        ctx: &Ctx,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<RollForward>, BillingError>;

    /// Brings the days up to date, today included: those on which something has happened since the
    /// last time, however long ago they are.
    async fn refresh(&self, ctx: &Ctx) -> Result<BuiltUntil, BillingError>;

    /// Makes the days from `from` to `to` anew; returns how many. What is made is the same as
    /// before, unless somebody has tampered with it.
    ///
    /// # Errors
    /// [`BillingError::Invalid`] when `from` is after `to`, `to` after today, or there are more
    /// than 36600 days between them.
    async fn rebuild(&self, ctx: &Ctx, from: NaiveDate, to: NaiveDate)
    -> Result<i64, BillingError>;
}

/// How figures are reckoned.
#[derive(Clone, Debug)]
pub struct AnalyticsConfig {
    /// Whose days are counted: a name of the IANA time zone database.
    pub time_zone: String,
    /// The currency of reports that ask for none: ISO 4217.
    pub currency: String,
    /// What of revenue is left when the service is paid for, 0 to 100.
    pub gross_margin_percent: u8,
}

impl Default for AnalyticsConfig {
    fn default() -> Self {
        Self {
            time_zone: "Asia/Bangkok".to_owned(),
            currency: "THB".to_owned(),
            gross_margin_percent: 100,
        }
    }
}
