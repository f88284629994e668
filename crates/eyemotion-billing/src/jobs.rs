use crate::overdue::OverdueHolds;
use crate::subscriptions::Subscriptions;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Renews the free subscriptions whose period is over: schedule it each minute.
/// Until it has run, a person whose period is over sees no included credits, though a charge that
/// needs them renews at once.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RenewSubscriptions {}

impl Job for RenewSubscriptions {
    const KIND: &'static str = "billing.renew_subscriptions";
    const TIMEOUT: Duration = Duration::from_mins(30);
}

#[async_trait]
impl Handler<RenewSubscriptions> for Arc<Subscriptions> {
    async fn run(&self, _: RenewSubscriptions, _: &Attempt) -> Result<(), JobError> {
        // Each renewal is a transaction that happens once, so a late worker does no harm.
        let round = self.renew_due(&Ctx::system("billing")).await?;
        if round.renewed > 0 || round.failed > 0 {
            tracing::info!(
                renewed = round.renewed,
                failed = round.failed,
                "subscriptions renewed"
            );
        }
        Ok(())
    }
}

/// Gives back what holds keep whose time is over: schedule it each minute. Until it has run, such
/// a hold cannot be captured any more, and a charge that needs its credits gets them.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ExpireHolds {}

impl Job for ExpireHolds {
    const KIND: &'static str = "billing.expire_holds";
    const TIMEOUT: Duration = Duration::from_mins(10);
}

#[async_trait]
impl Handler<ExpireHolds> for OverdueHolds {
    async fn run(&self, _: ExpireHolds, _: &Attempt) -> Result<(), JobError> {
        let round = self.expire(&Ctx::system("billing")).await?;
        if round.expired > 0 || round.failed > 0 {
            tracing::info!(
                expired = round.expired,
                failed = round.failed,
                "overdue holds ended"
            );
        }
        Ok(())
    }
}
