//! The figures of the business, put together.

use crate::compose::ComposeError;
use eyemotion_admin::OverviewService;
use eyemotion_billing::{AnalyticsConfig, AnalyticsService, RefreshAnalytics};
use eyemotion_core::{Clock, SystemClock};
use eyemotion_db::{DatabaseConfig, Db};
use eyemotion_jobs::Workers;
use std::sync::Arc;

/// What reckons them.
pub(crate) struct AnalyticsParts {
    pub(crate) analytics: Arc<AnalyticsService>,
    pub(crate) overview: Arc<OverviewService>,
}

impl AnalyticsParts {
    pub(crate) fn new(db: &Db, clock: &Arc<dyn Clock>) -> Self {
        let config = AnalyticsConfig::default();
        let zone = config.time_zone.clone();
        let overview = OverviewService::new(db.clone(), Arc::clone(clock), zone);
        let analytics = AnalyticsService::new(db.clone(), Arc::clone(clock), config);
        Self {
            analytics: Arc::new(analytics),
            overview: Arc::new(overview),
        }
    }

    /// Brings them up to date each hour.
    pub(crate) fn workers(&self, workers: Workers) -> Workers {
        workers
            .register::<RefreshAnalytics>(Arc::clone(&self.analytics))
            .schedule(
                "billing.refresh_analytics",
                "11 * * * *",
                &RefreshAnalytics {},
            )
    }
}

/// The figures alone, for the command that makes them anew.
///
/// # Errors
/// As [`Gateway::compose`](crate::Gateway::compose).
pub fn analytics(database: &DatabaseConfig) -> Result<Arc<AnalyticsService>, ComposeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(AnalyticsParts::new(&Db::new(database)?, &clock).analytics)
}
