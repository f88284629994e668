//! `[stripe]`, `[openai]`, `[smtp]` and `[oauth]`: services outside. Each absent one switches its feature off.

use eyemotion_mail::{Mailbox, SmtpTransport};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;
use super::problem::Problems;

/// The `[stripe]` section: payments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StripeSettings {
    /// The account's secret key (`sk_live_…`, `sk_test_…`) or a restricted one (`rk_…`).
    pub secret_key: Option<Secret>,
    /// The webhook endpoint's signing secret (`whsec_…`); while it is being replaced, the old one
    /// and the new one with a comma between them.
    pub webhook_secret: Option<Secret>,
    /// Where Stripe's API is.
    pub api_url: String,
}

impl Default for StripeSettings {
    fn default() -> Self {
        Self {
            secret_key: None,
            webhook_secret: None,
            api_url: "https://api.stripe.com".to_owned(),
        }
    }
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
        problems.require(
            is_provider_url(&self.api_url),
            "stripe.api_url",
            "must be an https:// URL without query; http:// only for 127.0.0.1, [::1] and localhost",
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SmtpSettings {
    /// `smtps://user:password@host:465`, or `smtp://…` with STARTTLS.
    pub url: Option<Secret>,
    /// Whom mails are from: `Name <address>`.
    pub from: Option<String>,
    /// How long each step of the conversation with the relay may take.
    pub timeout_secs: u64,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            url: None,
            from: None,
            timeout_secs: 30,
        }
    }
}

impl SmtpSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        let url = self.url.as_ref();
        if let Some(Err(error)) = url.map(|url| SmtpTransport::validate(url.expose())) {
            problems.require(false, "smtp.url", &error.to_string());
        }
        problems.require(
            self.from
                .as_ref()
                .is_none_or(|from| from.parse::<Mailbox>().is_ok()),
            "smtp.from",
            "must be an address: name@example.com, or EyeMotion <name@example.com>",
        );
        problems.require(
            (1..=120).contains(&self.timeout_secs),
            "smtp.timeout_secs",
            "must be 1 to 120",
        );
    }
}

/// The `[oauth]` section: signing in with another account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OauthSettings {
    /// Google's client id.
    pub google_client_id: Option<String>,
    /// Google's client secret.
    pub google_client_secret: Option<Secret>,
    /// The OpenID provider that stands for Google, by its issuer's name.
    pub google_issuer: String,
    /// GitHub's client id.
    pub github_client_id: Option<String>,
    /// GitHub's client secret.
    pub github_client_secret: Option<Secret>,
    /// Where people sign in to GitHub, or to an enterprise server of it.
    pub github_url: String,
    /// Where its API is.
    pub github_api_url: String,
    /// The client's pages that a browser may be led to afterwards, each exactly as a client asks for
    /// it. `server.frontend_url` is one of them.
    pub redirect_urls: Vec<String>,
}

impl Default for OauthSettings {
    fn default() -> Self {
        Self {
            google_client_id: None,
            google_client_secret: None,
            google_issuer: "https://accounts.google.com".to_owned(),
            github_client_id: None,
            github_client_secret: None,
            github_url: "https://github.com".to_owned(),
            github_api_url: "https://api.github.com".to_owned(),
            redirect_urls: Vec::new(),
        }
    }
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
        for (url, key) in [
            (&self.google_issuer, "oauth.google_issuer"),
            (&self.github_url, "oauth.github_url"),
            (&self.github_api_url, "oauth.github_api_url"),
        ] {
            problems.require(
                is_provider_url(url),
                key,
                "must be an https:// URL without query; http:// only for 127.0.0.1, [::1] and localhost",
            );
        }
        problems.require(
            self.redirect_urls.iter().all(|url| is_page(url)),
            "oauth.redirect_urls",
            "each must be a whole URL such as https://eyemotion.ai/auth/callback or myapp://signed-in, without \
             user, password, fragment or wildcard",
        );
    }
}

fn is_provider_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let secure = url.scheme() == "https" || (url.scheme() == "http" && local);
    secure && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
}

/// A page that may be given a code: no script, no file, nothing that reads as another address.
fn is_page(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let page = !matches!(
        scheme.to_ascii_lowercase().as_str(),
        "javascript" | "data" | "vbscript" | "file" | "blob" | "about"
    );
    let plain = text
        .chars()
        .all(|c| c.is_ascii_graphic() && !"*\\".contains(c));
    page && plain
        && !rest.is_empty()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://eyemotion.ai/auth/callback", true)]
    #[case("http://localhost:5173/", true)]
    #[case("eyemotion://signed-in", true)]
    #[case("https://*.eyemotion.ai/", false)]
    #[case("javascript://eyemotion.ai/%0aalert(1)", false)]
    #[case("data://text/html,x", false)]
    #[case("//eyemotion.ai", false)]
    #[case("https:eyemotion.ai", false)]
    #[case("https://user@eyemotion.ai/", false)]
    #[case("https://eyemotion.ai/#code", false)]
    #[case("https:\\\\eyemotion.ai", false)]
    #[case("", false)]
    fn pages_are_whole_and_plain(#[case] url: &str, #[case] good: bool) {
        assert_eq!(is_page(url), good);
    }

    #[rstest]
    #[case("https://accounts.google.com", true)]
    #[case("https://git.example.com/api/v3", true)]
    #[case("http://127.0.0.1:9000", true)]
    #[case("http://github.example.com", false)]
    #[case("ftp://github.com", false)]
    #[case("https://user@github.com", false)]
    #[case("github.com", false)]
    fn providers_are_called_over_tls(#[case] url: &str, #[case] good: bool) {
        assert_eq!(is_provider_url(url), good);
    }
}
