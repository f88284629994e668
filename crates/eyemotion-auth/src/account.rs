use crate::access_token::AccessTokens;
use crate::config::AuthConfig;
use crate::error::{AuthError, TokenError};
use crate::hot_reads::HotReads;
use crate::keys::Keys;
use crate::model::{AccountOverview, Profile};
use crate::password::Passwords;
use crate::password_policy::PasswordPolicy;
use crate::recovery::OneTimeCodec;
use crate::refresh_token::RefreshTokens;
use crate::service::{Accounts, NewUser, ProfileUpdate, Registered, SessionTokens, SignedIn};
use crate::throttle::Throttles;
use async_trait::async_trait;
use eyemotion_core::{Actor, Clock, Ctx, SessionId, UserId, UserRole};
use eyemotion_db::{Changes, Db};
use eyemotion_ports::{AccountLifecycle, ActivityLog, Outbox};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the service works with.
#[derive(Clone)]
pub struct AuthDependencies {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Signing key and master secret.
    pub keys: Arc<Keys>,
    /// The audit log.
    pub activity: Arc<dyn ActivityLog>,
    /// Where mails are posted.
    pub outbox: Arc<dyn Outbox>,
    /// The domains that keep something about people, in the order in which they are asked.
    pub lifecycle: Vec<Arc<dyn AccountLifecycle>>,
}

/// [`Accounts`] over PostgreSQL.
pub struct AccountService {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) activity: Arc<dyn ActivityLog>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) lifecycle: Vec<Arc<dyn AccountLifecycle>>,
    pub(crate) passwords: Passwords,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) throttles: Throttles,
    pub(crate) one_time: OneTimeCodec,
    pub(crate) policy: PasswordPolicy,
    pub(crate) hot: HotReads,
    /// Exports that may be under way at once.
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) config: AuthConfig,
}

impl AccountService {
    /// Puts the service together; does nothing yet.
    pub fn new(dependencies: AuthDependencies, config: AuthConfig) -> Self {
        let AuthDependencies {
            db,
            clock,
            keys,
            activity,
            outbox,
            lifecycle,
        } = dependencies;
        Self {
            passwords: Passwords::new(config.hash_permits, config.hash_queue),
            access_tokens: AccessTokens::new(Arc::clone(&keys), Arc::clone(&clock), &config),
            refresh_tokens: RefreshTokens::new(keys.derive("refresh-token")),
            one_time: OneTimeCodec::new(keys.derive("one-time-tokens")),
            policy: PasswordPolicy {
                refuse_common: config.refuse_common_passwords,
            },
            throttles: Throttles::new(keys.derive("throttles")),
            db,
            clock,
            keys,
            activity,
            outbox,
            lifecycle,
            hot: HotReads::off(),
            exports: Arc::new(Semaphore::new(config.exports_at_once)),
            config,
        }
    }

    /// Keeps in memory what almost every request asks, until `changes` tell otherwise.
    #[must_use]
    pub fn with_hot_reads(self, changes: &Changes) -> Self {
        Self {
            hot: HotReads::new(changes),
            ..self
        }
    }
}

/// The signed-in caller.
pub(crate) const fn caller(ctx: &Ctx) -> Result<(UserId, SessionId), AuthError> {
    match ctx.actor {
        Actor::User { id, session, .. } => Ok((id, session)),
        Actor::Anonymous | Actor::ApiKey { .. } | Actor::System(_) => {
            Err(AuthError::Unauthenticated)
        }
    }
}

/// The same request, acted on by the platform: nobody has signed in yet.
pub(crate) fn as_platform(ctx: &Ctx) -> Ctx {
    ctx.with_actor(Actor::System("auth"))
}

#[async_trait]
impl Accounts for AccountService {
    async fn register(&self, ctx: &Ctx, new: NewUser) -> Result<Registered, AuthError> {
        self.create_account(&as_platform(ctx), new, UserRole::User, true)
            .await
    }

    async fn sign_in(
        &self,
        ctx: &Ctx,
        email: &str,
        password: SecretString,
    ) -> Result<SignedIn, AuthError> {
        self.open_with_password(ctx, email, password).await
    }

    async fn refresh(&self, ctx: &Ctx, refresh_token: &str) -> Result<SessionTokens, AuthError> {
        self.rotate(ctx, refresh_token).await
    }

    async fn me(&self, ctx: &Ctx) -> Result<AccountOverview, AuthError> {
        self.overview(ctx).await
    }

    async fn profile(&self, ctx: &Ctx) -> Result<Profile, AuthError> {
        Ok(self.overview(ctx).await?.profile)
    }

    async fn update_profile(
        &self,
        ctx: &Ctx,
        update: ProfileUpdate,
        if_match: Option<i64>,
    ) -> Result<Profile, AuthError> {
        self.change_profile(ctx, update, if_match).await
    }

    fn authenticate(&self, access_token: &str) -> Result<Actor, TokenError> {
        self.access_tokens.verify(access_token)
    }

    fn jwks(&self) -> Value {
        json!({ "keys": self.keys.jwks() })
    }
}
