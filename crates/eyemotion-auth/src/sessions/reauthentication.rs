//! Step-up: what cannot be undone, or gives an account away, needs a fresh proof that it is still
//! its owner who holds the device (ASVS 7.5.3).

use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::password_check::Counters;
use crate::repository::{sessions, users};
use crate::throttle::{Held, Rule};
use chrono::{DateTime, Utc};
use eyemotion_core::{Ctx, SessionId};
use eyemotion_db::Tx;
use eyemotion_ports::Activity;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

impl AccountService {
    /// Refuses unless the caller has signed in, or proved once more who they are, a short time
    /// ago ([`reauthentication_max_age`](crate::AuthConfig::reauthentication_max_age)).
    ///
    /// # Errors
    /// [`AuthError::ReauthenticationNeeded`], [`AuthError::SessionEnded`],
    /// [`AuthError::Unauthenticated`].
    pub async fn require_recent(&self, tx: &mut Tx, ctx: &Ctx) -> Result<(), AuthError> {
        let (_, session) = caller(ctx)?;
        let now = self.clock.now();
        let at = sessions::authenticated_at(tx, session, now)
            .await?
            .ok_or(AuthError::SessionEnded)?;
        let max_age = self.config.reauthentication_max_age;
        if now - at > max_age {
            return Err(AuthError::ReauthenticationNeeded { max_age });
        }
        Ok(())
    }

    /// Notes, with its line in the audit log, that the caller has just proved by `method` who
    /// they are. `tx` is the platform's.
    pub(crate) async fn note_authenticated(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        session: SessionId,
        method: &'static str,
    ) -> Result<DateTime<Utc>, AuthError> {
        let now = self.clock.now();
        sessions::mark_authenticated(tx, session, now).await?;
        let activity = Activity::new("session.reauthenticated", "session", session)
            .with(json!({ "method": method }));
        self.activity.record(tx, ctx, activity).await?;
        Ok(now)
    }

    pub(crate) async fn prove_password(
        &self,
        ctx: &Ctx,
        password: SecretString,
    ) -> Result<DateTime<Utc>, AuthError> {
        let (_, session) = caller(ctx)?;
        let counters = self.check_own_password(ctx, password).await?;
        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        self.count_success(&mut tx, &counters).await?;
        let now = self.clock.now();
        let living = sessions::authenticated_at(&mut tx, session, now).await?;
        living.ok_or(AuthError::SessionEnded)?;
        let at = self
            .note_authenticated(&mut tx, ctx, session, "password")
            .await?;
        tx.commit().await?;
        Ok(at)
    }

    /// Checks the caller's password and counts it if it is wrong: the counters that what comes of
    /// it has to clear.
    pub(crate) async fn check_own_password(
        &self,
        ctx: &Ctx,
        password: SecretString,
    ) -> Result<Counters, AuthError> {
        let (user, session) = caller(ctx)?;
        let platform = as_platform(ctx);
        let counters = self.reauthentication_counter(ctx, session);
        let mut read = self.db.read(&platform).await?;
        self.hold_back(&mut read, &counters).await?;
        let stored = users::password_hash(&mut read, user).await?;
        drop(read);

        let right = if crate::fields::is_too_long(password.expose_secret()) {
            self.passwords.verify(SecretString::default(), None).await?
        } else {
            self.passwords.verify(password, stored).await?
        };
        if !right {
            let mut tx = self.db.begin(&platform).await?;
            self.count(&mut tx, &counters, Held::Counts).await?;
            let activity =
                Activity::new("session.reauthentication_failed", "session", session).of(user);
            self.activity.record(&mut tx, &platform, activity).await?;
            tx.commit().await?;
            return Err(AuthError::InvalidCredentials);
        }
        Ok(counters)
    }

    fn reauthentication_counter(&self, ctx: &Ctx, session: SessionId) -> Counters {
        if !self.config.throttling.limits(ctx.ip) {
            return Vec::new();
        }
        let rule = Rule::REAUTHENTICATION;
        vec![(rule, self.throttles.key(rule, &session.to_string()))]
    }
}
