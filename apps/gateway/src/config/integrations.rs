//! `[stripe]`, `[openai]`, `[smtp]` and `[oauth]`: services outside. Each absent one switches its feature off.

use serde::{Deserialize, Serialize};

use super::Secret;
use super::problem::Problems;

/// The `[stripe]` section: payments.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StripeSettings {
    /// The account's secret key (`sk_live_…`, `sk_test_…`) or a restricted one (`rk_…`).
    pub secret_key: Option<Secret>,
    /// The webhook endpoint's signing secret (`whsec_…`).
    pub webhook_secret: Option<Secret>,
}

impl StripeSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        let starts = |secret: &Option<Secret>, prefixes: &[&str]| {
            secret.as_ref().is_none_or(|secret| {
                prefixes
                    .iter()
                    .any(|prefix| secret.expose().starts_with(prefix))
            })
        };
        problems.require(
            starts(&self.secret_key, &["sk_", "rk_"]),
            "stripe.secret_key",
            "must start with sk_ or rk_ (a publishable key, pk_, is for browsers)",
        );
        problems.require(
            starts(&self.webhook_secret, &["whsec_"]),
            "stripe.webhook_secret",
            "must start with whsec_",
        );
    }
}

/// The `[openai]` section: AI tools.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OpenaiSettings {
    /// API key.
    pub api_key: Option<Secret>,
}

/// The `[smtp]` section: outgoing mail.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SmtpSettings {
    /// `smtps://user:password@host:465`, or `smtp://…` with STARTTLS.
    pub url: Option<Secret>,
}

impl SmtpSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        let smtp = |url: &Secret| {
            url.expose().starts_with("smtp://") || url.expose().starts_with("smtps://")
        };
        problems.require(
            self.url.as_ref().is_none_or(smtp),
            "smtp.url",
            "must start with smtp:// or smtps://",
        );
    }
}

/// The `[oauth]` section: signing in with another account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OauthSettings {
    /// Google's client id.
    pub google_client_id: Option<String>,
    /// Google's client secret.
    pub google_client_secret: Option<Secret>,
    /// GitHub's client id.
    pub github_client_id: Option<String>,
    /// GitHub's client secret.
    pub github_client_secret: Option<Secret>,
}

impl OauthSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        for (id, secret, key) in [
            (
                &self.google_client_id,
                &self.google_client_secret,
                "oauth.google_client_secret",
            ),
            (
                &self.github_client_id,
                &self.github_client_secret,
                "oauth.github_client_secret",
            ),
        ] {
            problems.require(
                id.is_some() == secret.is_some(),
                key,
                "the client id and the client secret go together: one of them is missing",
            );
        }
    }
}
