use crate::analytics::{Analytics, AnalyticsService};
use async_trait::async_trait;
use chrono::Days;
use eyemotion_core::Ctx;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Brings the figures of the business up to date and checks that they add up: schedule it each
/// hour, so that a day is complete soon after it is over.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RefreshAnalytics {}

impl Job for RefreshAnalytics {
    const KIND: &'static str = "billing.refresh_analytics";
    const TIMEOUT: Duration = Duration::from_mins(30);
}

#[async_trait]
impl Handler<RefreshAnalytics> for Arc<AnalyticsService> {
    async fn run(&self, _: RefreshAnalytics, _: &Attempt) -> Result<(), JobError> {
        // The same days made twice are the same, so a late worker does no harm.
        let ctx = Ctx::system("billing");
        let until = self.refresh(&ctx).await?;
        let yesterday = until.last_day - Days::new(1);
        for day in self.roll_forward(&ctx, yesterday, until.last_day).await? {
            if !day.holds() {
                tracing::error!(day = %day.day, currency = %day.currency, "recurring revenue does not add up");
            }
        }
        Ok(())
    }
}
