//! Rows against Stripe, without an event: what differs is healed and told.

use super::jobs::{QUEUE, describe};
use super::{StripeWebhooks, WebhookError};
use crate::converge::{ConvergeError, Difference, StripeObject};
use crate::repository::reconcilable::{self, CustomerRow};
use async_trait::async_trait;
use eyemotion_core::{Ctx, UserId};
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const CUSTOMERS: i64 = 200;

/// How much is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReconcileScope {
    /// What changed within a day and what is not settled.
    #[default]
    Recent,
    /// Everything of every customer.
    Full,
}

/// What a reconciliation found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftReport {
    /// Objects of Stripe's that were looked at.
    pub checked: u64,
    /// Events that had not come.
    pub missed_events: u64,
    /// Rows that differed, and are healed.
    pub differences: Vec<Difference>,
    /// Objects that could not be followed, and why.
    pub failures: Vec<String>,
}

impl DriftReport {
    /// Whether something differed, or could not be looked at.
    pub fn has_drift(&self) -> bool {
        !self.differences.is_empty() || !self.failures.is_empty()
    }
}

/// Reconciles: schedule it every quarter of an hour for what is recent, nightly for everything.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ReconcilePayments {
    /// How much of it.
    pub scope: ReconcileScope,
}

impl Job for ReconcilePayments {
    const KIND: &'static str = "billing.reconcile_payments";
    const QUEUE: &'static str = QUEUE;
    const MAX_ATTEMPTS: i32 = 1;
    const TIMEOUT: Duration = Duration::from_hours(6);
}

#[async_trait]
impl Handler<ReconcilePayments> for Arc<StripeWebhooks> {
    async fn run(&self, job: ReconcilePayments, _: &Attempt) -> Result<(), JobError> {
        let report = match self.heal(&Ctx::system("billing"), job.scope).await {
            Ok(report) => report,
            Err(WebhookError::NotConfigured) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for difference in &report.differences {
            let row = serde_json::to_string(difference).unwrap_or_default();
            tracing::warn!(row, "a row differed from Stripe and was healed");
        }
        for failure in &report.failures {
            tracing::error!(failure, "an object could not be reconciled");
        }
        let (checked, healed) = (report.checked, report.differences.len());
        tracing::info!(checked, healed, scope = ?job.scope, "payments reconciled");
        Ok(())
    }
}

impl StripeWebhooks {
    pub(crate) async fn heal(
        &self,
        ctx: &Ctx,
        scope: ReconcileScope,
    ) -> Result<DriftReport, WebhookError> {
        let mut report = DriftReport::default();
        match scope {
            ReconcileScope::Recent => {
                let mut tx = self.db.read(ctx).await?;
                let touched = reconcilable::touched(&mut tx).await?;
                drop(tx);
                let named = touched
                    .into_iter()
                    .filter_map(|(kind, id)| object(&kind, id));
                self.heal_each(ctx, named, &mut report).await?;
            }
            ReconcileScope::Full => {
                // What has no customer yet is not settled, so it is among these.
                report = Box::pin(self.heal(ctx, ReconcileScope::Recent)).await?;
                let mut after = None;
                loop {
                    let mut tx = self.db.read(ctx).await?;
                    let page = reconcilable::customers(&mut tx, after, CUSTOMERS).await?;
                    drop(tx);
                    let Some(last) = page.last() else {
                        break;
                    };
                    after = Some(last.user_id);
                    for customer in page {
                        let objects = self.objects_of(ctx, &customer).await?;
                        self.heal_each(ctx, objects, &mut report).await?;
                    }
                }
            }
        }
        Ok(report)
    }

    /// Everything of a customer's that rows follow, oldest first: what was bought, then what was
    /// paid for it.
    async fn objects_of(
        &self,
        ctx: &Ctx,
        customer: &CustomerRow,
    ) -> Result<Vec<StripeObject>, WebhookError> {
        let stripe = &self.configured()?.stripe;
        let id = &customer.stripe_customer_id;
        let mut objects = vec![StripeObject::Customer(id.clone())];
        let mut subscriptions = stripe.subscriptions_of(id).await?;
        subscriptions.sort_by_key(|it| it.created);
        objects.extend(
            subscriptions
                .into_iter()
                .map(|it| StripeObject::Subscription(it.id)),
        );
        let mut invoices = stripe.invoices_of(id).await?;
        invoices.sort_by_key(|it| it.created);
        objects.extend(invoices.into_iter().map(|it| StripeObject::Invoice(it.id)));
        let mut tx = self.db.read(ctx).await?;
        let sessions = reconcilable::sessions_of(&mut tx, UserId(customer.user_id)).await?;
        objects.extend(sessions.into_iter().map(StripeObject::CheckoutSession));
        Ok(objects)
    }

    async fn heal_each(
        &self,
        ctx: &Ctx,
        objects: impl IntoIterator<Item = StripeObject>,
        report: &mut DriftReport,
    ) -> Result<(), WebhookError> {
        let convergence = self.configured()?;
        for object in objects {
            report.checked += 1;
            match convergence.heal(ctx, &object).await {
                Ok(differences) => report.differences.extend(differences),
                Err(ConvergeError::Nobodys(_)) => {}
                Err(ConvergeError::Stripe(error)) if error.is_retryable() => {
                    return Err(error.into());
                }
                Err(ConvergeError::Db(error)) => return Err(error.into()),
                Err(error) => report
                    .failures
                    .push(format!("{object}: {}", describe(&error))),
            }
        }
        Ok(())
    }
}

fn object(kind: &str, id: String) -> Option<StripeObject> {
    Some(match kind {
        "subscription" => StripeObject::Subscription(id),
        "invoice" => StripeObject::Invoice(id),
        "checkout_session" => StripeObject::CheckoutSession(id),
        "review" => StripeObject::Review(id),
        "early_fraud_warning" => StripeObject::FraudWarning(id),
        _ => return None,
    })
}
