//! The crate's public page.

use crate::error::{AuthError, TokenError};
use crate::model::{AccountOverview, Profile};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, EmailAddress, UserId};
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::fmt;

/// Accounts: who people are and how they stay signed in.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account with everything that belongs to it, in one transaction.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::EmailTaken`], [`AuthError::Overloaded`].
    async fn register(&self, ctx: &Ctx, new: NewUser) -> Result<Registered, AuthError>;

    /// Opens a session. An unknown address costs the same time and gets the same answer as a
    /// wrong password; only the right password learns that the account is banned or unconfirmed.
    ///
    /// # Errors
    /// [`AuthError::InvalidCredentials`], [`AuthError::EmailNotConfirmed`],
    /// [`AuthError::Banned`], [`AuthError::Throttled`], [`AuthError::Overloaded`].
    async fn sign_in(
        &self,
        ctx: &Ctx,
        email: &str,
        password: SecretString,
    ) -> Result<SignedIn, AuthError>;

    /// Gives a new access token and the refresh token's successor. The token before the current
    /// one still gives that same successor for 10 seconds, so that tabs may refresh at once;
    /// later it ends the session, because somebody holds a copy.
    ///
    /// # Errors
    /// [`AuthError::RefreshTokenInvalid`].
    async fn refresh(&self, ctx: &Ctx, refresh_token: &str) -> Result<SessionTokens, AuthError>;

    /// The caller's account, in one query.
    ///
    /// # Errors
    /// [`AuthError::SessionEnded`] when the session was ended or ran out.
    async fn me(&self, ctx: &Ctx) -> Result<AccountOverview, AuthError>;

    /// The caller's profile.
    ///
    /// # Errors
    /// As [`Accounts::me`].
    async fn profile(&self, ctx: &Ctx) -> Result<Profile, AuthError>;

    /// Changes the caller's profile; `if_match` is the version that the change was made from.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::VersionMismatch`], and as [`Accounts::me`].
    async fn update_profile(
        &self,
        ctx: &Ctx,
        update: ProfileUpdate,
        if_match: Option<i64>,
    ) -> Result<Profile, AuthError>;

    /// Who an access token speaks for. Pure computation, no database: a session that has been
    /// ended is refused where the account is read.
    fn authenticate(&self, access_token: &str) -> Result<Actor, TokenError>;

    /// The public keys that access tokens are checked with, as a JWK set (RFC 7517 section 5).
    fn jwks(&self) -> Value;
}

/// Somebody who wants an account. Texts are as typed; the service trims and checks them.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The address.
    pub email: String,
    /// 8 to 256 characters.
    pub password: SecretString,
    /// 1 to 200 characters.
    pub full_name: String,
    /// At most 200 characters.
    pub company_name: Option<String>,
    /// At most 100 characters; "Film Production" if absent.
    pub industry: Option<String>,
    /// At most 100 characters; "Thailand" if absent.
    pub country: Option<String>,
    /// At most 40 characters.
    pub phone: Option<String>,
}

/// A new account.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The person.
    pub id: UserId,
    /// The address, normalised.
    pub email: EmailAddress,
    /// As stored.
    pub full_name: String,
    /// As stored.
    pub company_name: Option<String>,
    /// A session; none while the address has to be confirmed first.
    pub session: Option<SessionTokens>,
}

/// A successful sign-in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Whose.
    pub account: AccountOverview,
    /// The new session.
    pub tokens: SessionTokens,
}

/// What a client keeps of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionTokens {
    /// A JWT (ES256, RFC 9068's `at+jwt`) for the `Authorization` header.
    pub access_token: String,
    /// Good once, for the next pair of tokens.
    pub refresh_token: String,
    /// When the access token expires.
    pub expires_at: DateTime<Utc>,
}

impl SessionTokens {
    /// How the access token is sent (RFC 6750).
    pub const TOKEN_TYPE: &'static str = "bearer";
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTokens")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A merge patch (RFC 7396): what is absent stays, `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct ProfileUpdate {
    /// See [`Profile::full_name`].
    pub full_name: Option<String>,
    /// See [`Profile::company_name`].
    pub company_name: Option<Option<String>>,
    /// See [`Profile::industry`].
    pub industry: Option<String>,
    /// See [`Profile::country`].
    pub country: Option<String>,
    /// See [`Profile::phone`].
    pub phone: Option<Option<String>>,
    /// See [`Profile::avatar_url`].
    pub avatar_url: Option<Option<String>>,
    /// Merged into the stored object, recursively; a null removes its key.
    pub preferences: Option<Map<String, Value>>,
    /// See [`Profile::onboarding_completed`].
    pub onboarding_completed: Option<bool>,
}
