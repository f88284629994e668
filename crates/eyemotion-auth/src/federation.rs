//! Signing in through another service: Google (OpenID Connect) and GitHub (OAuth 2.0).
//!
//! A flow has three steps, all in one browser: [`Federation::begin`] gives the provider's address;
//! the provider sends the browser to the callback, [`Federation::returned`], which leads it on to
//! the client's page with `code` and `state`; the page hands these two to
//! [`Federation::finish`]. Code and state are the provider's own throughout. A flow lives 300
//! seconds and is good once.

mod accounts;
mod config;
mod error;
mod flow;
mod github;
mod http;
mod identities;
mod linking;
mod oidc;
mod provider;
mod redirects;
mod service;
mod sweep;

pub use config::{FederationConfig, GithubConfig, OidcConfig};
pub use error::FederationError;
pub use service::{FederationService, InvalidProvider};
pub use sweep::{FlowKeeper, ForgetOauthFlows};

use crate::model::AccountOverview;
use crate::service::SessionTokens;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::Ctx;
use std::str::FromStr;
use uuid::Uuid;

/// How long a flow may take, from leaving for the provider to the session.
pub const FLOW_LIFE: TimeDelta = TimeDelta::seconds(300);

/// Sign-in through providers, and the identities that people have there.
#[async_trait]
pub trait Federation: Send + Sync {
    /// Begins a flow: to sign in, or, if the caller is signed in, to add an identity to the
    /// caller's account.
    ///
    /// # Errors
    /// [`FederationError::NotConfigured`], [`FederationError::Invalid`] for a target that is not
    /// listed, [`FederationError::Unavailable`]; to add an identity also
    /// [`AuthError::ReauthenticationNeeded`](crate::AuthError::ReauthenticationNeeded).
    async fn begin(&self, ctx: &Ctx, start: FlowStart) -> Result<FlowStarted, FederationError>;

    /// The browser has come back from the provider. Nothing is consumed while there is a page to
    /// lead it on to, for a link may be fetched more than once; without one the flow is finished.
    ///
    /// # Errors
    /// [`FederationError::FlowInvalid`], [`FederationError::Refused`], and as
    /// [`Federation::finish`] where that is done here.
    async fn returned(&self, ctx: &Ctx, back: FlowReturn) -> Result<Returned, FederationError>;

    /// Redeems the code and opens a session, or adds the identity.
    ///
    /// # Errors
    /// [`FederationError::FlowInvalid`] for a flow that is unknown, over, used or another
    /// browser's; [`FederationError::Refused`] if the provider does not vouch for the code;
    /// [`FederationError::EmailUnverified`], [`FederationError::IdentityTaken`],
    /// [`FederationError::AccountClosed`], [`AuthError::Banned`](crate::AuthError::Banned).
    async fn finish(&self, ctx: &Ctx, finish: FlowFinish) -> Result<Federated, FederationError>;

    /// The caller's identities, oldest first.
    async fn identities(&self, ctx: &Ctx) -> Result<Vec<Identity>, FederationError>;

    /// Takes an identity off the caller's account.
    ///
    /// # Errors
    /// [`FederationError::NotFound`]; [`FederationError::LastSignInMethod`] if nothing else is left
    /// to sign in with;
    /// [`AuthError::ReauthenticationNeeded`](crate::AuthError::ReauthenticationNeeded).
    async fn unlink(&self, ctx: &Ctx, identity: Uuid) -> Result<(), FederationError>;
}

/// A service that vouches for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Google, or whichever OpenID provider stands in its place.
    Google,
    /// GitHub, or an installation of its enterprise server.
    Github,
}

impl Provider {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Google, Self::Github];

    /// The name in paths and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Github => "github",
        }
    }

    /// The name for people.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Github => "GitHub",
        }
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(s: &str) -> Result<Self, UnknownProvider> {
        let named = Self::ALL.iter().find(|provider| provider.as_str() == s);
        named.copied().ok_or(UnknownProvider)
    }
}

/// Not the name of a [`Provider`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("there is no such provider")]
pub struct UnknownProvider;

/// What a flow begins with.
#[derive(Clone, Debug)]
pub struct FlowStart {
    /// Through whom.
    pub provider: Provider,
    /// The client's page that gets code and state: exactly one of the listed. None: the first of
    /// these, or, where none is listed, the callback itself answers with the session.
    pub redirect_to: Option<String>,
    /// The whole URL of our callback, as registered with the provider.
    pub callback: String,
    /// For clients whose requests carry no cookie: BASE64URL(SHA-256(verifier)), RFC 7636.
    pub code_challenge: Option<String>,
}

/// A flow that has begun.
#[derive(Clone)]
pub struct FlowStarted {
    /// Where to send the browser.
    pub url: String,
    /// Names the flow.
    pub state: String,
    /// What this browser must hold, and nobody else. None with a code challenge, which takes its
    /// place.
    pub browser: Option<String>,
}

/// What the provider's redirect brought (RFC 6749 sections 4.1.2 and 4.1.2.1).
#[derive(Clone, Debug)]
pub struct FlowReturn {
    /// Whose callback it was.
    pub provider: Provider,
    /// As sent along.
    pub state: String,
    /// What the browser holds.
    pub browser: Option<String>,
    /// A code, or the provider's error.
    pub answer: Result<String, String>,
    /// The issuer's name for itself, if sent (RFC 9207).
    pub iss: Option<String>,
}

/// Where the browser goes from the callback.
#[derive(Debug)]
pub enum Returned {
    /// To this page of the client's.
    To(String),
    /// Nowhere: there is no page, and the flow is done.
    Done(Box<Federated>),
}

/// What ends a flow.
#[derive(Clone, Debug)]
pub struct FlowFinish {
    /// As the provider gave it.
    pub code: String,
    /// As sent along.
    pub state: String,
    /// What the browser holds.
    pub browser: Option<String>,
    /// What the code challenge was made from.
    pub code_verifier: Option<String>,
    /// The issuer's name for itself, if sent (RFC 9207).
    pub iss: Option<String>,
}

/// Somebody whom a provider vouched for.
#[derive(Debug)]
pub struct Federated {
    /// The account.
    pub account: AccountOverview,
    /// The new session; none if an identity was added to an account that is signed in already.
    pub tokens: Option<SessionTokens>,
}

/// An account elsewhere with which somebody may sign in.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Ours.
    pub id: Uuid,
    /// `google` or `github`.
    pub provider: String,
    /// The address that the provider gave.
    pub email: Option<String>,
    /// Whether the provider had verified it.
    pub email_verified: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}
