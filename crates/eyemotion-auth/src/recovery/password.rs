//! A new password: by mail, or by who knows the old one.

use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::fields::Checks;
use crate::password_policy::About;
use crate::recovery::Proof;
use crate::recovery::purpose::Purpose;
use crate::repository::{one_time_tokens, sessions, users};
use eyemotion_core::{Ctx, EmailAddress, FieldError, SessionId, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::Activity;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

/// Where a new password stands in the body of a reset, and of a change.
const RESET_POINTER: &str = "/password";
const CHANGE_POINTER: &str = "/newPassword";
const CURRENT_POINTER: &str = "/currentPassword";

impl AccountService {
    pub(crate) async fn reset_with_proof(
        &self,
        ctx: &Ctx,
        proof: &Proof,
        password: SecretString,
    ) -> Result<(), AuthError> {
        let mut checks = Checks::default();
        checks.password_at(RESET_POINTER, &password);
        checks.finish()?;
        self.policy
            .check(RESET_POINTER, &password, &About::default())?;
        let hash = self.passwords.hash(password.clone()).await?;

        let platform = as_platform(ctx);
        let (mut tx, proved) = self.take_proof(ctx, Purpose::PasswordReset, proof).await?;
        let user = proved.user;
        let person = users::person(&mut tx, user)
            .await?
            .ok_or(AuthError::ProofInvalid)?;
        // Dropped, the transaction gives the proof back.
        self.policy
            .check(RESET_POINTER, &password, &About::of(&person))?;
        let confirmed = self.take_address_as_proved(&mut tx, user).await?;
        let changed = Change {
            user,
            email: &person.email,
            hash: &hash,
            except: None,
            details: json!({ "method": "mail", "emailConfirmed": confirmed }),
        };
        self.set_password(&mut tx, &platform, changed).await?;
        // Whoever else has guessed must not keep the owner out now.
        self.forgive_failures(&mut tx, ctx, &person.email).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn change_own_password(
        &self,
        ctx: &Ctx,
        current: Option<SecretString>,
        new: SecretString,
    ) -> Result<(), AuthError> {
        let (user, session) = caller(ctx)?;
        let mut checks = Checks::default();
        checks.password_at(CHANGE_POINTER, &new);
        checks.finish()?;
        let mut tx = self.db.begin_for(ctx).await?;
        let person = users::person(&mut tx, user)
            .await?
            .ok_or(AuthError::SessionEnded)?;
        if person.password_hash.is_none() {
            self.require_recent(&mut tx, ctx).await?;
        }
        drop(tx);
        self.policy
            .check(CHANGE_POINTER, &new, &About::of(&person))?;
        let counters = match (&person.password_hash, current) {
            (Some(_), Some(current)) => self
                .check_own_password(ctx, current)
                .await
                .map_err(|error| wrong_value(error, CURRENT_POINTER))?,
            (Some(_), None) => {
                let detail = "the current password is needed";
                let fault = FieldError::new(CURRENT_POINTER, "required", detail);
                return Err(AuthError::Invalid(vec![fault]));
            }
            (None, _) => Vec::new(),
        };
        let hash = self.passwords.hash(new).await?;

        let mut tx = self.db.begin(&as_platform(ctx)).await?;
        self.count_success(&mut tx, &counters).await?;
        if !sessions::is_live(&mut tx, session, self.clock.now()).await? {
            return Err(AuthError::SessionEnded);
        }
        let changed = Change {
            user,
            email: &person.email,
            hash: &hash,
            except: Some(session),
            details: json!({ "method": "current_password" }),
        };
        self.set_password(&mut tx, ctx, changed).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn set_password(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        change: Change<'_>,
    ) -> Result<(), AuthError> {
        let Change {
            user,
            email,
            hash,
            except,
            mut details,
        } = change;
        users::set_password(tx, user, hash).await?;
        one_time_tokens::take_all(tx, user).await?;
        let ended = self
            .revoke_sessions(tx, user, except, "password_changed")
            .await?;
        if let Ok(to) = EmailAddress::parse(email) {
            self.notify(tx, ctx, user, &to, "password_changed", Map::new())
                .await?;
        }
        details["sessionsEnded"] = json!(ended);
        let activity = Activity::new("account.password_changed", "user", user)
            .of(user)
            .with(details);
        self.activity.record(tx, ctx, activity).await?;
        Ok(())
    }
}

struct Change<'a> {
    user: UserId,
    email: &'a str,
    hash: &'a str,
    /// The session that goes on.
    except: Option<SessionId>,
    /// For the log.
    details: Value,
}

/// A wrong password is a wrong value where the session is as good as before.
pub(super) fn wrong_value(error: AuthError, pointer: &'static str) -> AuthError {
    match error {
        AuthError::InvalidCredentials => {
            let fault = FieldError::new(pointer, "wrong", "is not the current password");
            AuthError::Invalid(vec![fault])
        }
        other => other,
    }
}
