//! Keys with which programs call the server.

mod error;
mod keeper;
mod scope;
mod secret;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{ApiKeyId, Ctx, Page, PageRequest, UserId};
use secrecy::SecretString;

pub use error::ApiKeyError;
pub use keeper::ApiKeyKeeper;
pub use scope::{Permission, RESTRICTED_NAMESPACE, Scope, Scopes, UnknownScope};
pub use secret::is_api_key;

/// API keys. Admins make, see and revoke them; whoever holds one may do what its scopes say, for
/// as long as the admin who made it is one.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Makes a key. Its secret is in the answer and nowhere else: a repeat with the same
    /// `Idempotency-Key` answers without.
    ///
    /// # Errors
    /// [`ApiKeyError::Invalid`], [`ApiKeyError::Forbidden`].
    async fn create(&self, ctx: &Ctx, new: NewApiKey) -> Result<CreatedApiKey, ApiKeyError>;

    /// Every admin's keys, the newest first, also those that work no more.
    ///
    /// # Errors
    /// [`ApiKeyError::Forbidden`].
    async fn list(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<ApiKey>, ApiKeyError>;

    /// Ends a key, on every replica within a second. Ending it twice changes nothing.
    ///
    /// # Errors
    /// [`ApiKeyError::NotFound`], [`ApiKeyError::Forbidden`].
    async fn revoke(&self, ctx: &Ctx, id: ApiKeyId) -> Result<ApiKey, ApiKeyError>;

    /// Whose secret this is.
    ///
    /// # Errors
    /// [`ApiKeyError::KeyInvalid`] for an unknown, revoked or expired one.
    async fn authenticate(&self, secret: &str) -> Result<KeyHolder, ApiKeyError>;
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What it is for: 1 to 100 characters.
    pub name: String,
    /// 1 to 32 scopes by name; see [`Scope`].
    pub scopes: Vec<String>,
    /// A moment in the future; none: it works until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that has been made.
#[derive(Debug)]
pub struct CreatedApiKey {
    /// What is known of it later.
    pub key: ApiKey,
    /// For the `Authorization` header; none when the request is a repeat.
    pub secret: Option<SecretString>,
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The admin who made it.
    pub owner: UserId,
    /// What it is for.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// From then on it does not work; none: no such moment.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A program that has shown its key.
#[derive(Clone, Debug)]
pub struct KeyHolder {
    /// The key.
    pub id: ApiKeyId,
    /// What it may do.
    pub scopes: Scopes,
}
