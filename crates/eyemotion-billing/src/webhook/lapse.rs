//! Payments that are owed for too long: the plan ends, and Stripe is told to stop trying.

use super::jobs::{QUEUE, describe};
use super::{
    FetchMissedEvents, ProcessStripeEvent, ReconcilePayments, ReconcileScope, StripeWebhooks,
};
use crate::converge::StripeObject;
use crate::repository::billed_subscriptions as subscriptions;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_jobs::{Attempt, Handler, Job, JobError, Workers};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Ends the plans whose grace is over: schedule it each hour.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct EndGrace {}

impl Job for EndGrace {
    const KIND: &'static str = "billing.end_grace";
    const QUEUE: &'static str = QUEUE;
    const MAX_ATTEMPTS: i32 = 1;
    const TIMEOUT: Duration = Duration::from_mins(30);
}

#[async_trait]
impl Handler<EndGrace> for Arc<StripeWebhooks> {
    async fn run(&self, _: EndGrace, _: &Attempt) -> Result<(), JobError> {
        let Some(convergence) = &self.convergence else {
            return Ok(());
        };
        let ctx = Ctx::system("billing");
        let until = self.clock.now() - convergence.grace;
        let mut tx = self.db.read(&ctx).await?;
        let lapsed = subscriptions::lapsed(&mut tx, until).await?;
        drop(tx);
        for id in lapsed {
            let object = StripeObject::Subscription(id);
            if let Err(error) = convergence.converge(&ctx, &object).await {
                // Due again in an hour.
                let error = describe(&error);
                tracing::error!(subscription = %object, error, "cannot end a lapsed subscription");
            }
        }
        Ok(())
    }
}

/// Ends a subscription at Stripe whose grace is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CancelLapsed {
    pub(crate) subscription: String,
}

impl Job for CancelLapsed {
    const KIND: &'static str = "billing.cancel_lapsed";
    const QUEUE: &'static str = QUEUE;
    const MAX_ATTEMPTS: i32 = 10;
    const TIMEOUT: Duration = Duration::from_mins(3);
}

#[async_trait]
impl Handler<CancelLapsed> for Arc<StripeWebhooks> {
    async fn run(&self, job: CancelLapsed, _: &Attempt) -> Result<(), JobError> {
        let Some(convergence) = &self.convergence else {
            return Ok(());
        };
        let ctx = Ctx::system("billing");
        // It may have been paid meanwhile; then it lives on.
        let theirs = convergence.stripe.subscription(&job.subscription).await?;
        if matches!(theirs.status.as_str(), "past_due" | "unpaid") {
            convergence
                .stripe
                .cancel_subscription(&job.subscription)
                .await?;
        }
        let object = StripeObject::Subscription(job.subscription);
        convergence
            .converge(&ctx, &object)
            .await
            .map_err(|error| JobError::retry(describe(&error)))
    }
}

/// Lets `workers` work on events and keep the rows equal to what Stripe has.
pub fn workers(workers: Workers, webhooks: &Arc<StripeWebhooks>) -> Workers {
    let recent = ReconcilePayments {
        scope: ReconcileScope::Recent,
    };
    let full = ReconcilePayments {
        scope: ReconcileScope::Full,
    };
    workers
        .register::<ProcessStripeEvent>(Arc::clone(webhooks))
        .register::<CancelLapsed>(Arc::clone(webhooks))
        .register::<EndGrace>(Arc::clone(webhooks))
        .register::<FetchMissedEvents>(Arc::clone(webhooks))
        .register::<ReconcilePayments>(Arc::clone(webhooks))
        .schedule("billing.end_grace", "11 * * * *", &EndGrace {})
        .schedule(
            "billing.fetch_missed_events",
            "*/15 * * * *",
            &FetchMissedEvents {},
        )
        .schedule("billing.reconcile_recent", "7-59/15 * * * *", &recent)
        .schedule("billing.reconcile_full", "37 2 * * *", &full)
}
