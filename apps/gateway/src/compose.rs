//! Puts the server together: the one place that knows every domain.

use crate::analytics::AnalyticsParts;
use crate::config::{Environment, Settings};
use crate::federation::federation;
use crate::kv::{KvParts, Programs};
use crate::mail::{self, MailParts};
use crate::payments::PaymentParts;
use crate::privacy;
use crate::rate_limit::RateLimits;
use crate::services::{Services, TrustedProxies};
use actix_web::web;
use chrono::TimeDelta;
use eyemotion_admin::{
    ActivityLogKeeper, AuditService, DatabaseActivityLog, ForgetIdempotencyKeys,
    IdempotencyKeyKeeper, MaintainActivityLog,
};
use eyemotion_auth::{
    AccountService, AuthConfig, AuthDependencies, FederationService, FlowKeeper, ForgetOauthFlows,
    InvalidProvider, Keys, KeysError, Links, SendTokenMail, Throttling, TokenMailer,
};
use eyemotion_billing::{
    BillingService, ExpireHolds, InvalidRedirect, Ledger, OverdueHolds, PaymentsService,
    RenewSubscriptions, StripeError, StripeWebhooks, Subscriptions,
};
use eyemotion_core::{Clock, SystemClock};
use eyemotion_db::{Changes, ConnectError, DatabaseConfig, Db};
use eyemotion_health::{Components, DatabaseProbe};
use eyemotion_jobs::{InvalidSchedule, RunningWorkers, Workers};
use eyemotion_mail::{InvalidSmtpUrl, RenderError};
use eyemotion_ports::{ActivityLog, CreditLedger, StorageQuota};
use eyemotion_projects::{Directory, ProjectService};
use eyemotion_storage::{
    FileService, InvalidConfig, LocalStore, ProjectFiles, Quotas, StorageConfig, StorageParts,
    StorageProbe, UrlSigner,
};
use secrecy::SecretString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Why the server cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The database's address is wrong.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// No keys to sign with.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The data folder cannot be used.
    #[error("{path}: {source}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A setting of the object store.
    #[error(transparent)]
    Storage(#[from] InvalidConfig),
    /// A sign-in provider's address.
    #[error(transparent)]
    Provider(#[from] InvalidProvider),
    /// The address of the mail relay.
    #[error("smtp.url (SMTP_URL) {0}")]
    Relay(#[from] InvalidSmtpUrl),
    /// Whom mails would be from.
    #[error("{0} is no address that mail could be from: set smtp.from")]
    Sender(String),
    /// The texts of mails: a mistake of ours.
    #[error(transparent)]
    Mails(RenderError),
    /// Stripe's key or address.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// Where browsers may be led back to.
    #[error("server.frontend_url (FRONTEND_URL) or billing.redirect_urls: {0}")]
    Redirect(#[from] InvalidRedirect),
    /// A schedule that cannot be read: a mistake of ours.
    #[error(transparent)]
    Schedule(#[from] InvalidSchedule),
}

/// The server without its listener: services for the routes, and workers.
pub struct Gateway {
    services: web::Data<Services>,
    workers: Option<RunningWorkers>,
    db: Db,
}

impl Gateway {
    /// Puts it together from the settings. Migrations are the caller's matter.
    ///
    /// # Errors
    /// [`ComposeError`]; a database that does not answer is none, for it may come later.
    pub fn compose(settings: &Settings, database: &DatabaseConfig) -> Result<Self, ComposeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self::compose_with_clock(settings, database, &clock)
    }

    /// The same by another clock than the machine's.
    ///
    /// # Errors
    /// As [`Gateway::compose`].
    pub fn compose_with_clock(
        settings: &Settings,
        database: &DatabaseConfig,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ComposeError> {
        let db = Db::new(database)?;
        let changes = if settings.cache.enabled {
            db.changes()
        } else {
            Changes::off()
        };
        let activity: Arc<dyn ActivityLog> = Arc::new(DatabaseActivityLog);
        let quota: Arc<dyn StorageQuota> = Arc::new(Quotas);
        let keys = Arc::new(keys(settings)?);

        let subscriptions = Arc::new(Subscriptions::new(
            db.clone(),
            Arc::clone(clock),
            Arc::clone(&quota),
        ));
        let accounts = AccountService::new(
            AuthDependencies {
                db: db.clone(),
                clock: Arc::clone(clock),
                keys: Arc::clone(&keys),
                activity: Arc::clone(&activity),
                outbox: mail::outbox(clock),
                lifecycle: privacy::lifecycle(Arc::clone(&subscriptions), clock),
            },
            auth_config(settings),
        )
        .with_hot_reads(&changes);
        let accounts = Arc::new(accounts);
        let federation = federation(settings, Arc::clone(&accounts))?;
        let storage = Arc::new(storage(settings, &db, clock, &activity, &keys)?);
        let projects = ProjectService::new(
            db.clone(),
            Arc::clone(clock),
            Arc::clone(&activity),
            Arc::new(ProjectFiles::new(Arc::clone(clock), ledger(clock))),
        );
        let billing = BillingService::new(db.clone(), Arc::clone(clock), Arc::clone(&activity))
            .with_hot_reads(&changes);
        let payments =
            PaymentParts::new(settings, &db, clock, &activity, &quota, mail::outbox(clock))?;
        let analytics = AnalyticsParts::new(&db, clock);
        let mail = MailParts::new(settings, &db, clock)?;
        let kv = KvParts::new(&db, clock, &activity, &changes);
        let health = Components::new(vec![
            Arc::new(DatabaseProbe::new(db.clone())),
            Arc::new(StorageProbe::new(Arc::clone(&storage.blobs))),
            Arc::new(payments.probe()),
            Arc::new(mail.probe()),
            Arc::new(kv.probe()),
        ]);

        let workers = match u16::try_from(settings.jobs.workers) {
            Ok(0) | Err(_) => None,
            Ok(jobs) => {
                let workers = Workers::builder(db.clone(), Arc::clone(clock))
                    .concurrency(jobs)
                    .register::<SendTokenMail>(TokenMailer::new(Arc::clone(&accounts)));
                let workers = scheduled(workers, subscriptions, &db, clock);
                let workers = payments.workers(workers);
                let workers = analytics.workers(workers);
                let workers = privacy::workers(workers, &accounts, &db);
                let workers = kv.workers(mail.workers(workers)?);
                Some(eyemotion_storage::workers(workers, &storage).start()?)
            }
        };
        let services = web::Data::new(Services::new(
            accounts,
            federation,
            billing,
            payments.payments,
            payments.webhooks,
            projects,
            FileService::new(storage),
            health,
            AuditService::new(db.clone()),
            analytics,
            kv.services(),
            settings,
        ));
        Ok(Self {
            services,
            workers,
            db,
        })
    }

    /// What the routes call.
    pub fn services(&self) -> web::Data<Services> {
        self.services.clone()
    }

    /// From now on `/readyz` sends load balancers elsewhere.
    pub fn refuse_new_work(&self) {
        self.services.start_draining();
    }

    /// Lets running jobs end, for `timeout` at most; then closes the database's connections.
    pub async fn drain(self, timeout: Duration) {
        if let Some(workers) = self.workers {
            workers.drain(timeout).await;
        }
        self.db.close();
    }
}

/// The jobs that the clock starts and no other part brings along.
fn scheduled(
    workers: Workers,
    subscriptions: Arc<Subscriptions>,
    db: &Db,
    clock: &Arc<dyn Clock>,
) -> Workers {
    let log = ActivityLogKeeper::new(db.clone(), Arc::clone(clock));
    let keys = IdempotencyKeyKeeper::new(db.clone(), Arc::clone(clock));
    let flows = FlowKeeper::new(db.clone(), Arc::clone(clock));
    let (renew, maintain) = (RenewSubscriptions {}, MaintainActivityLog {});
    workers
        .register::<RenewSubscriptions>(subscriptions)
        .schedule("billing.renew_subscriptions", "* * * * *", &renew)
        .register::<ExpireHolds>(OverdueHolds::new(db.clone(), Arc::clone(clock)))
        .schedule("billing.expire_holds", "* * * * *", &ExpireHolds {})
        .register::<MaintainActivityLog>(log)
        .schedule("admin.maintain_activity_log", "17 3 * * *", &maintain)
        .register::<ForgetIdempotencyKeys>(keys)
        .schedule(
            "admin.forget_idempotency_keys",
            "23 * * * *",
            &ForgetIdempotencyKeys {},
        )
        .register::<ForgetOauthFlows>(flows)
        .schedule(
            "auth.forget_oauth_flows",
            "*/5 * * * *",
            &ForgetOauthFlows {},
        )
}

/// The account service alone, for commands that make accounts.
///
/// # Errors
/// As [`Gateway::compose`].
pub fn accounts(
    settings: &Settings,
    database: &DatabaseConfig,
) -> Result<AccountService, ComposeError> {
    let db = Db::new(database)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let subscriptions = Subscriptions::new(db.clone(), Arc::clone(&clock), Arc::new(Quotas));
    Ok(AccountService::new(
        AuthDependencies {
            db,
            keys: Arc::new(keys(settings)?),
            activity: Arc::new(DatabaseActivityLog),
            outbox: mail::outbox(&clock),
            lifecycle: privacy::lifecycle(Arc::new(subscriptions), &clock),
            clock,
        },
        auth_config(settings),
    ))
}

fn keys(settings: &Settings) -> Result<Keys, ComposeError> {
    let secret = |secret: &Option<crate::config::Secret>| {
        secret
            .as_ref()
            .map(|secret| SecretString::from(secret.expose()))
    };
    Ok(Keys::load_or_create(
        &settings.data.dir.join("keys"),
        secret(&settings.auth.signing_key),
        secret(&settings.auth.secret),
    )?)
}

fn auth_config(settings: &Settings) -> AuthConfig {
    let auth = &settings.auth;
    AuthConfig {
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        access_ttl: seconds(auth.access_ttl_secs),
        session_idle_ttl: seconds(auth.refresh_ttl_secs),
        hash_permits: auth.argon2_permits,
        reauthentication_max_age: seconds(auth.reauthentication_max_age_secs),
        throttling: throttling(settings),
        require_email_confirmation: auth
            .require_email_confirmation
            .is_on(settings.smtp.url.is_some()),
        refuse_common_passwords: auth
            .refuse_common_passwords
            .is_on(settings.server.environment == Environment::Production),
        links: Links {
            frontend_url: settings.server.frontend_url.clone(),
            server_url: settings.server.own_url(),
        },
        deletion_undo: seconds(auth.deletion_undo_days.saturating_mul(86_400)),
        ..AuthConfig::default()
    }
}

fn throttling(settings: &Settings) -> Throttling {
    settings.limits.throttling(settings.server.environment)
}

fn storage(
    settings: &Settings,
    db: &Db,
    clock: &Arc<dyn Clock>,
    activity: &Arc<dyn ActivityLog>,
    keys: &Keys,
) -> Result<StorageParts, ComposeError> {
    let path = settings
        .storage
        .local_dir()
        .unwrap_or_else(|| settings.data.dir.join("objects"));
    let blobs = LocalStore::open(&path).map_err(|source| ComposeError::Folder { path, source })?;
    let config = StorageConfig {
        max_file_bytes: settings.storage.max_file_bytes,
        upload_ttl: seconds(settings.storage.upload_ttl_secs),
        large_upload_ttl: seconds(settings.storage.large_upload_ttl_secs),
        confirm_ttl: seconds(settings.storage.confirm_ttl_secs),
        download_ttl: seconds(settings.storage.download_ttl_secs),
        trash_retention: seconds(settings.storage.trash_days.saturating_mul(86_400)),
        ..StorageConfig::default()
    };
    config.validate()?;
    Ok(StorageParts {
        db: db.clone(),
        clock: Arc::clone(clock),
        blobs: Arc::new(blobs),
        projects: Arc::new(Directory),
        credits: ledger(clock),
        activity: Arc::clone(activity),
        signer: UrlSigner::new(&keys.derive("storage urls")),
        notifications: Arc::new(db.listen(&["files"])),
        config,
    })
}

/// The book of credits, for those who spend.
pub(crate) fn ledger(clock: &Arc<dyn Clock>) -> Arc<dyn CreditLedger> {
    Arc::new(Ledger::new(Arc::clone(clock)))
}

/// The configuration has checked the bounds.
fn seconds(seconds: u64) -> TimeDelta {
    i64::try_from(seconds)
        .ok()
        .and_then(TimeDelta::try_seconds)
        .unwrap_or(TimeDelta::MAX)
}

impl Services {
    #[expect(clippy::too_many_arguments, reason = "one for each domain")]
    fn new(
        accounts: Arc<AccountService>,
        federation: FederationService,
        billing: BillingService,
        payments: Arc<PaymentsService>,
        webhooks: Arc<StripeWebhooks>,
        projects: ProjectService,
        files: FileService,
        health: Components,
        audit: AuditService,
        figures: AnalyticsParts,
        programs: Programs,
        settings: &Settings,
    ) -> Self {
        Self {
            recovery: Arc::clone(&accounts) as _,
            gate: Arc::clone(&accounts) as _,
            federation: Arc::new(federation),
            privacy: Arc::clone(&accounts) as _,
            sessions: Arc::clone(&accounts) as _,
            people: Arc::clone(&accounts) as _,
            accounts,
            audit: Arc::new(audit),
            analytics: figures.analytics,
            overview: figures.overview,
            billing: Arc::new(billing),
            payments,
            webhooks,
            projects: Arc::new(projects),
            files: Arc::new(files),
            health: Arc::new(health),
            kv: programs.kv,
            flag_settings: programs.flag_settings,
            flags: programs.flags,
            api_keys: programs.api_keys,
            rate_limits: RateLimits::new(&settings.limits, throttling(settings)),
            trusted_proxies: TrustedProxies::new(&settings.server.trusted_proxies),
            public_url: settings.server.public_url.clone(),
            environment: settings.server.environment.as_str(),
            draining: false.into(),
        }
    }
}
