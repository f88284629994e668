use crate::account::{AccountService, caller};
use crate::error::{AuthError, TokenError};
use crate::repository::sessions::{self, OwnSessionRow};
use crate::sessions::device;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, Cursor, Page, PageRequest, SessionId, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::Activity;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

/// Somebody signed in on some device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// What the device says of itself, in a few words: "Firefox on Windows".
    pub device: String,
    /// The `User-Agent` header that it signed in with.
    pub user_agent: Option<String>,
    /// The address that it signed in from.
    pub ip: Option<String>,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// When it last asked for an access token.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends if nothing happens: idle or at its greatest age, whichever is first.
    pub expires_at: DateTime<Utc>,
    /// When the person last proved who they are.
    pub authenticated_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Which of one's sessions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionScope {
    /// The one that asks.
    Local,
    /// All but the one that asks.
    Others,
    /// All.
    Global,
}

impl SessionScope {
    /// Every scope there is.
    pub const ALL: &'static [Self] = &[Self::Local, Self::Others, Self::Global];

    /// The name on the wire, and the reason that is noted with an ended session.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Others => "others",
            Self::Global => "global",
        }
    }
}

/// Sessions: where somebody is signed in.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The caller's living sessions, newest first.
    async fn list(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<Session>, AuthError>;

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`AuthError::SessionNotFound`], also for one that has ended already.
    async fn revoke(&self, ctx: &Ctx, session: SessionId) -> Result<(), AuthError>;

    /// Ends the caller's sessions of this scope; how many. Ending them twice changes nothing, and
    /// a session that has ended ends no other.
    async fn sign_out(&self, ctx: &Ctx, scope: SessionScope) -> Result<usize, AuthError>;

    /// Who an access token speaks for, also when it has expired: good enough to sign out with,
    /// and for nothing else.
    ///
    /// # Errors
    /// [`TokenError::Invalid`].
    fn recognise(&self, access_token: &str) -> Result<Actor, TokenError>;

    /// Notes that the caller has just given the right password; since when.
    ///
    /// # Errors
    /// [`AuthError::InvalidCredentials`], [`AuthError::Throttled`], [`AuthError::SessionEnded`],
    /// [`AuthError::Overloaded`].
    async fn reauthenticate(
        &self,
        ctx: &Ctx,
        password: SecretString,
    ) -> Result<DateTime<Utc>, AuthError>;
}

#[async_trait]
impl Sessions for AccountService {
    async fn list(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<Session>, AuthError> {
        let (user, current) = caller(ctx)?;
        let now = self.clock.now();
        let mut tx = self.db.read(ctx).await?;
        let rows = sessions::list(&mut tx, user, now, page).await?;
        let sessions = rows.into_iter().map(|row| session(row, current)).collect();
        Ok(Page::from_rows(
            sessions,
            page.limit,
            |session: &Session| Cursor {
                created_at: session.created_at,
                id: session.id.0,
            },
        ))
    }

    async fn revoke(&self, ctx: &Ctx, session: SessionId) -> Result<(), AuthError> {
        caller(ctx)?;
        let mut tx = self.db.begin_for(ctx).await?;
        let now = self.clock.now();
        // Row-level security leaves the caller's own.
        if sessions::authenticated_at(&mut tx, session, now)
            .await?
            .is_none()
            || sessions::revoke(&mut tx, session, now, "revoked").await? == 0
        {
            return Err(AuthError::SessionNotFound);
        }
        let activity = Activity::new("session.revoked", "session", session)
            .with(json!({ "reason": "revoked" }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn sign_out(&self, ctx: &Ctx, scope: SessionScope) -> Result<usize, AuthError> {
        let (user, current) = caller(ctx)?;
        let now = self.clock.now();
        let mut tx = self.db.begin_for(ctx).await?;
        if sessions::authenticated_at(&mut tx, current, now)
            .await?
            .is_none()
        {
            return Ok(0);
        }
        let ended = match scope {
            SessionScope::Local => {
                let ended = sessions::revoke(&mut tx, current, now, "signed_out").await?;
                vec![current.0; ended]
            }
            SessionScope::Others => {
                sessions::revoke_all(&mut tx, user, Some(current), "signed_out", now).await?
            }
            SessionScope::Global => {
                sessions::revoke_all(&mut tx, user, None, "signed_out", now).await?
            }
        };
        self.note_signed_out(&mut tx, ctx, scope, current, &ended)
            .await?;
        tx.commit().await?;
        Ok(ended.len())
    }

    fn recognise(&self, access_token: &str) -> Result<Actor, TokenError> {
        self.access_tokens.recognise(access_token)
    }

    async fn reauthenticate(
        &self,
        ctx: &Ctx,
        password: SecretString,
    ) -> Result<DateTime<Utc>, AuthError> {
        self.prove_password(ctx, password).await
    }
}

impl AccountService {
    async fn note_signed_out(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        scope: SessionScope,
        current: SessionId,
        ended: &[Uuid],
    ) -> Result<(), AuthError> {
        if ended.is_empty() {
            return Ok(());
        }
        let details = json!({
            "reason": "signed_out", "scope": scope.as_str(), "ended": ended.len(),
        });
        let activity = Activity::new("session.revoked", "session", current).with(details);
        Ok(self.activity.record(tx, ctx, activity).await?)
    }

    /// Ends all sessions of somebody who was banned, say, or has another password now; how many.
    /// The caller tells the audit log why.
    pub(crate) async fn revoke_sessions(
        &self,
        tx: &mut Tx,
        user: UserId,
        except: Option<SessionId>,
        reason: &'static str,
    ) -> Result<usize, AuthError> {
        let ended = sessions::revoke_all(tx, user, except, reason, self.clock.now()).await?;
        Ok(ended.len())
    }
}

fn session(row: OwnSessionRow, current: SessionId) -> Session {
    Session {
        id: SessionId(row.id),
        device: device::describe(row.user_agent.as_deref()),
        user_agent: row.user_agent,
        ip: row.ip,
        created_at: row.created_at,
        last_seen_at: row.refreshed_at.unwrap_or(row.created_at),
        expires_at: row.expires_at.min(row.idle_expires_at),
        authenticated_at: row.authenticated_at,
        current: row.id == current.0,
    }
}
