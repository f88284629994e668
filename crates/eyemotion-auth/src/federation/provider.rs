//! What the providers have in common.

use super::github::Github;
use super::http::HttpError;
use super::oidc::Oidc;
use oauth2::{ErrorResponse, RequestTokenError};
use serde::Deserialize;

/// What a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
    pub picture: Option<String>,
}

/// Where to send a browser, and what has to be known when it comes back.
pub(super) struct Authorization {
    pub url: String,
    pub nonce: String,
    pub pkce_verifier: String,
}

/// What a code is redeemed with, beside the client's own credentials.
pub(super) struct Redemption {
    pub code: String,
    pub redirect_uri: String,
    pub nonce: String,
    pub pkce_verifier: String,
}

/// Why a provider is no help.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    /// It says no, or what it says does not hold.
    #[error("{0}")]
    Refused(&'static str),
    /// It says nothing that could be understood. The text is for the log.
    #[error("{0}")]
    Unavailable(String),
}

impl From<HttpError> for ProviderError {
    fn from(error: HttpError) -> Self {
        Self::Unavailable(error_chain(&error))
    }
}

/// A provider, ready to be asked.
pub(super) enum Connection {
    Oidc(Box<Oidc>),
    Github(Box<Github>),
}

impl Connection {
    pub(super) fn issuer(&self) -> &str {
        match self {
            Self::Oidc(oidc) => oidc.issuer(),
            Self::Github(github) => github.issuer(),
        }
    }

    pub(super) async fn authorize(
        &self,
        state: &str,
        redirect_uri: &str,
    ) -> Result<Authorization, ProviderError> {
        match self {
            Self::Oidc(oidc) => oidc.authorize(state, redirect_uri).await,
            Self::Github(github) => github.authorize(state, redirect_uri),
        }
    }

    pub(super) async fn redeem(&self, redemption: Redemption) -> Result<Claim, ProviderError> {
        match self {
            Self::Oidc(oidc) => oidc.redeem(redemption).await,
            Self::Github(github) => github.redeem(redemption).await,
        }
    }
}

pub(super) fn bad_url(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::Unavailable(format!("a URL cannot be used: {error}"))
}

/// What the token endpoint's failure means. Bodies stay out of the log: they may hold tokens.
pub(super) fn token_error<T: ErrorResponse>(
    error: RequestTokenError<HttpError, T>,
) -> ProviderError {
    const REFUSED: ProviderError = ProviderError::Refused("the code was not accepted");
    match error {
        RequestTokenError::ServerResponse(_) => REFUSED,
        RequestTokenError::Request(error) => error.into(),
        // GitHub refuses with status 200.
        RequestTokenError::Parse(_, body) if is_refusal(&body) => REFUSED,
        RequestTokenError::Parse(..) => {
            ProviderError::Unavailable("the token endpoint's answer is not a token".to_owned())
        }
        RequestTokenError::Other(text) => ProviderError::Unavailable(text),
    }
}

fn is_refusal(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "error")]
        _error: String,
    }
    serde_json::from_slice::<Refusal>(body).is_ok()
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
