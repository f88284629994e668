//! Puts payments together: Stripe, what follows its events, who watches over it.

use crate::compose::ComposeError;
use crate::config::{Environment, Secret, Settings};
use crate::mail;
use chrono::TimeDelta;
use eyemotion_admin::DatabaseActivityLog;
use eyemotion_billing::{
    Catalogue, Convergence, ConvergenceParts, EndCustomer, PaymentsParts, PaymentsProbe,
    PaymentsService, RedirectOrigins, Stripe, StripeConfig, StripeError, StripeWebhooks, WindDown,
};
use eyemotion_core::{Clock, SystemClock};
use eyemotion_db::{DatabaseConfig, Db};
use eyemotion_jobs::Workers;
use eyemotion_ports::{ActivityLog, Outbox, StorageQuota};
use eyemotion_storage::Quotas;
use secrecy::SecretString;
use std::sync::Arc;

/// How old a webhook may be, and how far ahead; Stripe's own libraries take as much.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The parts of payments that the rest of the server meets.
pub(crate) struct PaymentParts {
    pub payments: Arc<PaymentsService>,
    pub webhooks: Arc<StripeWebhooks>,
    probe: PaymentsProbe,
}

impl PaymentParts {
    pub(crate) fn new(
        settings: &Settings,
        db: &Db,
        clock: &Arc<dyn Clock>,
        activity: &Arc<dyn ActivityLog>,
        quota: &Arc<dyn StorageQuota>,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Self, ComposeError> {
        let stripe = stripe(settings)?;
        let convergence = stripe.clone().map(|stripe| {
            Convergence::new(ConvergenceParts {
                db: db.clone(),
                stripe,
                quota: Arc::clone(quota),
                activity: Arc::clone(activity),
                outbox,
                clock: Arc::clone(clock),
                grace: grace(settings),
            })
        });
        let webhooks = StripeWebhooks::new(
            db.clone(),
            Arc::clone(clock),
            secrets(settings.stripe.webhook_secret.as_ref()),
            TOLERANCE,
            convergence.clone(),
        );
        let probe = PaymentsProbe::new(db.clone(), Arc::clone(clock), stripe.is_some());
        let payments = PaymentsService::new(PaymentsParts {
            db: db.clone(),
            clock: Arc::clone(clock),
            stripe,
            convergence,
            activity: Arc::clone(activity),
            redirects: redirects(settings)?,
        });
        Ok(Self {
            probe,
            payments: Arc::new(payments),
            webhooks: Arc::new(webhooks),
        })
    }

    pub(crate) fn probe(&self) -> PaymentsProbe {
        self.probe.clone()
    }

    /// Lets `workers` follow Stripe, and see to it that people who leave pay no more.
    pub(crate) fn workers(&self, workers: Workers) -> Workers {
        let workers = workers
            .register::<EndCustomer>(Arc::clone(&self.payments))
            .register::<WindDown>(Arc::clone(&self.payments));
        eyemotion_billing::workers(workers, &self.webhooks)
    }
}

/// How long a plan goes on while its payment is owed.
fn grace(settings: &Settings) -> TimeDelta {
    let days = i64::try_from(settings.billing.grace_days).ok();
    days.and_then(TimeDelta::try_days).unwrap_or(TimeDelta::MAX)
}

fn stripe(settings: &Settings) -> Result<Option<Stripe>, StripeError> {
    let Some(key) = &settings.stripe.secret_key else {
        return Ok(None);
    };
    let config = StripeConfig {
        base_url: settings.stripe.api_url.clone(),
        ..StripeConfig::new(SecretString::from(key.expose()))
    };
    Stripe::new(&config).map(Some)
}

fn redirects(settings: &Settings) -> Result<RedirectOrigins, ComposeError> {
    let server = &settings.server;
    let home = server.frontend_url.clone();
    let development = server.environment == Environment::Development;
    Ok(RedirectOrigins::new(
        &home.unwrap_or_else(|| server.own_url()),
        &settings.billing.redirect_urls,
        development,
    )?)
}

/// While a secret is being replaced, Stripe signs with the old one and the new one: both may be
/// given, with a comma between them.
fn secrets(setting: Option<&Secret>) -> Vec<SecretString> {
    let each = setting.map_or("", |secret| secret.expose()).split(',');
    let each = each.map(str::trim).filter(|secret| !secret.is_empty());
    each.map(SecretString::from).collect()
}

/// The catalogue alone, for commands; none without a key.
///
/// # Errors
/// When an address or the key is wrong.
pub fn catalogue(
    settings: &Settings,
    database: &DatabaseConfig,
) -> Result<Option<Catalogue>, ComposeError> {
    let db = Db::new(database)?;
    let stripe = stripe(settings)?;
    Ok(stripe.map(|stripe| Catalogue::new(db, Arc::new(SystemClock), stripe)))
}

/// What follows Stripe's events, alone, for commands.
///
/// # Errors
/// When an address or a key is wrong.
pub fn webhooks(
    settings: &Settings,
    database: &DatabaseConfig,
) -> Result<Arc<StripeWebhooks>, ComposeError> {
    let db = Db::new(database)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let activity: Arc<dyn ActivityLog> = Arc::new(DatabaseActivityLog);
    let quota: Arc<dyn StorageQuota> = Arc::new(Quotas);
    let outbox = mail::outbox(&clock);
    let parts = PaymentParts::new(settings, &db, &clock, &activity, &quota, outbox)?;
    Ok(parts.webhooks)
}
