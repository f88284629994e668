//! Configuration: defaults < `eyemotion.toml` < environment < flags.
//!
//! Every setting has one key, `section.name`. The environment spells it `EYEMOTION_SECTION_NAME`; a few have a
//! plain name besides (`DATABASE_URL`). An unknown key is an error with a suggestion, and a secret may be read
//! from a file: add `_FILE` to its variable or `_file` to its key. Nothing here reads the process's
//! environment: [`load`] is given a map, so tests vary it.

mod auth;
mod billing;
mod cache;
mod database;
mod dump;
mod integrations;
mod jobs;
mod keys;
mod layers;
mod limits;
mod load;
mod log;
mod problem;
mod resolve;
mod secret;
mod server;
mod storage;
mod switch;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use auth::AuthSettings;
pub use billing::BillingSettings;
pub use cache::CacheSettings;
pub use database::{DataSettings, DatabaseSettings, PgSettings};
pub use integrations::{OauthSettings, OpenaiSettings, SmtpSettings, StripeSettings};
pub use jobs::JobsSettings;
pub use layers::{Flag, default_data_dir};
pub use limits::{LimitedClients, LimitsSettings};
pub use load::{Loaded, Sources, load};
pub use log::{LogFormat, LogSettings};
pub use problem::{ConfigError, Problem};
pub use secret::{REDACTED, Secret};
pub use server::{Environment, ServerSettings};
pub use storage::StorageSettings;
pub use switch::Switch;

/// Everything that can be set, by section. What is absent (`None`) switches its feature off or has a
/// default that depends on other settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// The HTTP listener.
    pub server: ServerSettings,
    /// The data folder.
    pub data: DataSettings,
    /// PostgreSQL.
    pub database: DatabaseSettings,
    /// PostgreSQL's programs.
    pub pg: PgSettings,
    /// What is kept in memory.
    pub cache: CacheSettings,
    /// Uploaded files.
    pub storage: StorageSettings,
    /// Tokens and passwords.
    pub auth: AuthSettings,
    /// How often one client may try something.
    pub limits: LimitsSettings,
    /// Background work.
    pub jobs: JobsSettings,
    /// Logs.
    pub log: LogSettings,
    /// Payments.
    pub stripe: StripeSettings,
    /// The house's rules of paying.
    pub billing: BillingSettings,
    /// AI tools.
    pub openai: OpenaiSettings,
    /// Mail.
    pub smtp: SmtpSettings,
    /// Sign-in through Google and GitHub.
    pub oauth: OauthSettings,
}

impl Settings {
    /// Everything that the sections, or two of them together, cannot work with.
    pub(crate) fn validate(&self, problems: &mut problem::Problems) {
        self.server.validate(problems);
        self.database.validate(problems);
        self.storage.validate(problems);
        self.auth.validate(problems);
        self.limits.validate(problems);
        self.jobs.validate(problems);
        self.log.validate(problems);
        self.stripe.validate(problems);
        self.billing.validate(problems);
        self.smtp.validate(problems);
        self.oauth.validate(problems);
        problems.require(
            self.auth.require_email_confirmation != Switch::On || self.smtp.url.is_some(),
            "auth.require_email_confirmation",
            "needs smtp.url (SMTP_URL): without mail nobody could confirm an address",
        );
    }
}
