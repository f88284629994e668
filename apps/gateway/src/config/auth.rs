//! `[auth]`: tokens, passwords and registration.

use serde::{Deserialize, Serialize};

use super::problem::Problems;
use super::{Secret, Switch};

/// The `[auth]` section. Times are seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthSettings {
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// Life of an access token.
    pub access_ttl_secs: u64,
    /// How long a session lives on without being refreshed.
    pub refresh_ttl_secs: u64,
    /// PEM (PKCS#8) of the ES256 key that signs access tokens. Absent: made on first start and kept in
    /// the data folder.
    pub signing_key: Option<Secret>,
    /// At least 32 characters, from which refresh tokens and signed URLs get their keys. Absent: made on
    /// first start and kept in the data folder.
    pub secret: Option<Secret>,
    /// Password hashes computed at once, each taking 19 MiB; 0 is one per core.
    pub argon2_permits: usize,
    /// How long after signing in, or giving the password again, what is dangerous may be done.
    pub reauthentication_max_age_secs: u64,
    /// Whether an e-mail address must be confirmed before its first sign-in. Needs `smtp.url`;
    /// `auto`: where that is set.
    pub require_email_confirmation: Switch,
    /// Whether passwords that everybody tries first are refused. `auto`: in production.
    pub refuse_common_passwords: Switch,
    /// How many days a deletion of an account can be undone; 0: not at all.
    pub deletion_undo_days: u64,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            issuer: "eyemotion".to_owned(),
            audience: "authenticated".to_owned(),
            access_ttl_secs: 600,
            refresh_ttl_secs: 30 * 24 * 3600,
            signing_key: None,
            secret: None,
            argon2_permits: 0,
            reauthentication_max_age_secs: 600,
            require_email_confirmation: Switch::Auto,
            refuse_common_passwords: Switch::Auto,
            deletion_undo_days: 14,
        }
    }
}

impl AuthSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.require(!self.issuer.is_empty(), "auth.issuer", "must not be empty");
        problems.require(
            !self.audience.is_empty(),
            "auth.audience",
            "must not be empty",
        );
        problems.require(
            (60..=86_400).contains(&self.access_ttl_secs),
            "auth.access_ttl_secs",
            "must be from 60 to 86400 seconds (1 day)",
        );
        problems.require(
            self.refresh_ttl_secs > self.access_ttl_secs,
            "auth.refresh_ttl_secs",
            "must be longer than auth.access_ttl_secs",
        );
        problems.require(
            (60..=86_400).contains(&self.reauthentication_max_age_secs),
            "auth.reauthentication_max_age_secs",
            "must be from 60 to 86400 seconds (1 day)",
        );
        problems.require(
            self.deletion_undo_days <= 365,
            "auth.deletion_undo_days",
            "must be at most 365 days",
        );
        problems.require(
            self.argon2_permits <= 256,
            "auth.argon2_permits",
            "must be at most 256",
        );
        problems.require(
            self.signing_key
                .as_ref()
                .is_none_or(|key| key.expose().contains("-----BEGIN")),
            "auth.signing_key",
            "must be a PEM block (-----BEGIN PRIVATE KEY-----)",
        );
        problems.require(
            self.secret
                .as_ref()
                .is_none_or(|secret| secret.expose().trim().len() >= 32),
            "auth.secret",
            "must have at least 32 characters: openssl rand -base64 32",
        );
    }
}
