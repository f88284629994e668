//! Sessions: opened by a password, kept alive by refresh tokens, ended by signing out.

use crate::access_token::Subject;
use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::model::AccountOverview;
use crate::refresh_token::RefreshClaim;
use crate::repository::sessions::{self, NewSessionRow, SessionRow};
use crate::repository::{account_overview, profiles, sign_in, users};
use crate::service::{SessionTokens, SignedIn};
use crate::throttle::{Rule, keys, refuse_held};
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::{Actor, Ctx, SessionId, UserId, UserRole};
use eyemotion_db::Tx;
use eyemotion_ports::Activity;
use secrecy::SecretString;
use serde_json::json;

/// How long the token before the current one is taken for a second tab's.
const REUSE_WINDOW: TimeDelta = TimeDelta::seconds(10);

impl AccountService {
    pub(crate) async fn open_with_password(
        &self,
        ctx: &Ctx,
        email: &str,
        password: SecretString,
    ) -> Result<SignedIn, AuthError> {
        let platform = as_platform(ctx);
        let (person, counters) = self.check_password(ctx, email, password.clone()).await?;
        let now = self.clock.now();
        if let Some(until) = person.banned_until.filter(|until| now < *until) {
            return Err(AuthError::Banned(until));
        }
        if person.email_confirmed_at.is_none() {
            return Err(AuthError::EmailNotConfirmed);
        }
        let user = UserId(person.id);
        let session = SessionId(self.clock.new_id());
        let stored = person.password_hash.unwrap_or_default();
        let renewed = self.passwords.renew(password, &stored).await;

        let mut tx = self.db.begin(&platform).await?;
        let (subject, tokens) = self
            .enter(&mut tx, &platform, user, session, &counters)
            .await?;
        if let Some(hash) = renewed {
            users::renew_hash(&mut tx, user, &stored, &hash).await?;
        }
        let own = own_ctx(ctx, user, session, subject.role);
        let activity = Activity::new("session.created", "session", session)
            .with(json!({ "method": "password" }));
        Ok(SignedIn {
            account: self.entered(tx, &own, activity).await?,
            tokens,
        })
    }

    /// Opens a session for somebody who has shown who they are, notes the sign-in, takes the
    /// counters of failures away and makes the first tokens. `tx` is the platform's.
    ///
    /// # Errors
    /// [`AuthError::Throttled`] if a counter refuses by now, for of many guesses made at once the
    /// right one must not pass when the others have used up what is allowed; then `tx` must be
    /// dropped. [`AuthError::SessionEnded`] for somebody who is not there.
    pub(crate) async fn enter(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        session: SessionId,
        counters: &[(Rule, [u8; 32])],
    ) -> Result<(Subject, SessionTokens), AuthError> {
        let row = self.new_session(ctx, user, session);
        let (entered, held) = sign_in::enter(tx, &row, &keys(counters))
            .await?
            .ok_or(AuthError::SessionEnded)?;
        refuse_held(held, row.created_at)?;
        let subject = Subject {
            user,
            email: entered.email,
            role: profiles::parse_role(&entered.role)?,
            session,
        };
        let tokens = self.tokens(&subject, 0)?;
        Ok((subject, tokens))
    }

    /// Tells the audit log of a sign-in, commits, and reads what a client then shows, all in one
    /// round trip. `tx` is the platform's.
    pub(crate) async fn entered(
        &self,
        mut tx: Tx,
        own: &Ctx,
        activity: Activity,
    ) -> Result<AccountOverview, AuthError> {
        let (user, _) = caller(own)?;
        self.activity.record(&mut tx, own, activity).await?;
        tx.commit_with_next();
        let account = account_overview::find(&mut tx, user).await?;
        tx.commit().await?;
        Ok(account.ok_or(AuthError::SessionEnded)?.into_overview()?)
    }

    /// Adds a new person's first session and makes its tokens.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        subject: &Subject,
    ) -> Result<SessionTokens, AuthError> {
        let row = self.new_session(ctx, subject.user, subject.session);
        sessions::insert(tx, &row).await?;
        self.tokens(subject, 0)
    }

    fn new_session<'a>(&self, ctx: &'a Ctx, user: UserId, session: SessionId) -> NewSessionRow<'a> {
        let now = self.clock.now();
        let expires_at = now + self.config.session_ttl;
        NewSessionRow {
            id: session.0,
            user_id: user.0,
            created_at: now,
            expires_at,
            idle_expires_at: expires_at.min(now + self.config.session_idle_ttl),
            ip: ctx.ip.map(|ip| ip.to_string()),
            user_agent: ctx.user_agent.as_deref(),
            authenticated_at: now,
        }
    }

    fn tokens(&self, subject: &Subject, counter: i64) -> Result<SessionTokens, AuthError> {
        let (access_token, expires_at) = self.access_tokens.issue(subject)?;
        let claim = RefreshClaim {
            session: subject.session,
            counter,
        };
        let refresh_token = self.refresh_tokens.encode(claim);
        Ok(SessionTokens {
            access_token,
            refresh_token,
            expires_at,
        })
    }

    pub(crate) async fn rotate(&self, ctx: &Ctx, token: &str) -> Result<SessionTokens, AuthError> {
        let claim = self
            .refresh_tokens
            .decode(token)
            .ok_or(AuthError::RefreshTokenInvalid)?;
        let platform = as_platform(ctx);
        let now = self.clock.now();
        let mut tx = self.db.begin(&platform).await?;
        let idle_expires_at = now + self.config.session_idle_ttl;
        let rotated = sessions::rotate(&mut tx, claim, now, idle_expires_at).await?;
        let user = match rotated {
            Some(user) => user,
            None => match self.judge_replay(&mut tx, claim, now).await? {
                Replay::SecondTab(user) => user,
                Replay::Stolen(user) => {
                    return self
                        .end_stolen(tx, &platform, claim.session, user, now)
                        .await;
                }
                Replay::Refused => return Err(AuthError::RefreshTokenInvalid),
            },
        };
        let standing = users::standing(&mut tx, user).await?;
        let banned = standing.banned_until.is_some_and(|until| now < until);
        if banned || standing.deleted_at.is_some() {
            // Dropped, the transaction takes the rotation back.
            return Err(AuthError::RefreshTokenInvalid);
        }
        let role = profiles::parse_role(&standing.role)?;
        if rotated.is_some() {
            let own = own_ctx(&platform, user, claim.session, role);
            let activity = Activity::new("session.refreshed", "session", claim.session);
            self.activity.record(&mut tx, &own, activity).await?;
        }
        tx.commit().await?;
        let subject = Subject {
            user,
            email: standing.email,
            role,
            session: claim.session,
        };
        // The counter is the token's successor either way, so all who hold it get the same one.
        self.tokens(&subject, claim.counter.saturating_add(1))
    }

    /// A token that could not be rotated: why?
    async fn judge_replay(
        &self,
        tx: &mut Tx,
        claim: RefreshClaim,
        now: DateTime<Utc>,
    ) -> Result<Replay, AuthError> {
        let Some(row) = sessions::find(tx, claim.session).await? else {
            return Ok(Replay::Refused);
        };
        Ok(judge(&row, claim.counter, now))
    }

    /// Two parties hold tokens of one session: neither may go on.
    async fn end_stolen(
        &self,
        mut tx: Tx,
        platform: &Ctx,
        session: SessionId,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<SessionTokens, AuthError> {
        sessions::revoke(&mut tx, session, now, "refresh_reuse").await?;
        let activity = Activity::new("session.revoked", "session", session)
            .of(user)
            .with(json!({ "reason": "refresh_reuse" }));
        self.activity.record(&mut tx, platform, activity).await?;
        self.warn_of_reuse(&mut tx, platform, user, now).await?;
        tx.commit().await?;
        Err(AuthError::RefreshTokenInvalid)
    }
}

fn own_ctx(ctx: &Ctx, id: UserId, session: SessionId, role: UserRole) -> Ctx {
    ctx.with_actor(Actor::User { id, session, role })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    /// Another tab refreshed a moment ago: give what it got.
    SecondTab(UserId),
    /// The token was used too long ago for that.
    Stolen(UserId),
    /// The session has ended, or it never came so far.
    Refused,
}

fn judge(row: &SessionRow, counter: i64, now: DateTime<Utc>) -> Replay {
    let user = UserId(row.user_id);
    let recent = row.rotated_at.is_some_and(|at| now - at <= REUSE_WINDOW);
    if !row.is_live(now) || counter >= row.counter {
        Replay::Refused
    } else if row.counter - counter == 1 && recent {
        Replay::SecondTab(user)
    } else {
        Replay::Stolen(user)
    }
}
