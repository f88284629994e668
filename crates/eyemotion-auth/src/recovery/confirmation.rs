//! Proving an address, and signing in by it.

use crate::account::{AccountService, as_platform};
use crate::error::AuthError;
use crate::recovery::Proof;
use crate::recovery::mailing::TokenMail;
use crate::recovery::purpose::Purpose;
use crate::repository::profiles::{self, NewProfileRow};
use crate::repository::users::{self, NewUserRow};
use crate::service::SignedIn;
use eyemotion_core::{Actor, Ctx, EmailAddress, SessionId, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::Activity;
use serde_json::{Map, json};

impl AccountService {
    /// Opens a session for whoever reads the address's mail, which proves the address as well.
    pub(crate) async fn sign_in_with_proof(
        &self,
        ctx: &Ctx,
        purpose: Purpose,
        proof: &Proof,
    ) -> Result<SignedIn, AuthError> {
        let (mut tx, proved) = self.take_proof(ctx, purpose, proof).await?;
        let user = proved.user;
        let now = self.clock.now();
        let standing = users::standing(&mut tx, user).await?;
        if standing.deleted_at.is_some() {
            return Err(AuthError::ProofInvalid);
        }
        if let Some(until) = standing.banned_until.filter(|until| now < *until) {
            return Err(AuthError::Banned(until));
        }
        let session = SessionId(self.clock.new_id());
        let confirmed = self.take_address_as_proved(&mut tx, user).await?;
        let (subject, tokens) = self.enter(&mut tx, ctx, user, session, &[]).await?;
        let own = ctx.with_actor(Actor::User {
            id: user,
            session,
            role: subject.role,
        });
        let activity = Activity::new("session.created", "session", session)
            .with(json!({ "method": purpose.as_str(), "emailConfirmed": confirmed }));
        Ok(SignedIn {
            account: Box::pin(self.entered(tx, &own, activity)).await?,
            tokens,
        })
    }

    /// Takes the address as proved, and no more.
    pub(crate) async fn confirm_with_proof(
        &self,
        ctx: &Ctx,
        proof: &Proof,
    ) -> Result<(), AuthError> {
        let purpose = Purpose::EmailConfirmation;
        let (mut tx, proved) = self.take_proof(ctx, purpose, proof).await?;
        if users::person(&mut tx, proved.user).await?.is_none() {
            return Err(AuthError::ProofInvalid);
        }
        if self.take_address_as_proved(&mut tx, proved.user).await? {
            let activity = Activity::new("account.email_confirmed", "user", proved.user);
            let activity = activity.of(proved.user);
            self.activity
                .record(&mut tx, &as_platform(ctx), activity)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The address is the person's; false if that was known.
    pub(crate) async fn take_address_as_proved(
        &self,
        tx: &mut Tx,
        user: UserId,
    ) -> Result<bool, AuthError> {
        users::confirm_email(tx, user, self.clock.now()).await?;
        Ok(profiles::verify_email(tx, user).await? > 0)
    }

    /// Mails a new account its first link and code, in the transaction that makes it.
    pub(crate) async fn mail_confirmation(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        email: &EmailAddress,
    ) -> Result<(), AuthError> {
        let mail = TokenMail {
            user,
            to: email,
            purpose: Purpose::EmailConfirmation,
            payload: json!({}),
        };
        self.mail_token(tx, ctx, mail).await?;
        Ok(())
    }

    /// Somebody registers. If the address has an account: tells its owner, and nobody else; true.
    /// An account that nobody has confirmed takes the new password instead, so that whoever got
    /// hold of the address first does not keep it, and a new link with it.
    pub(crate) async fn register_again(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        new: &NewUserRow<'_>,
        profile: &NewProfileRow<'_>,
    ) -> Result<bool, AuthError> {
        let (Some(person), Ok(email)) = (
            users::credential(tx, new.email).await?,
            EmailAddress::parse(new.email),
        ) else {
            return Ok(false);
        };
        let user = UserId(person.id);
        if person.email_confirmed_at.is_some() {
            self.notify(tx, ctx, user, &email, "account_exists", Map::new())
                .await?;
            return Ok(true);
        }
        let mail = TokenMail {
            user,
            to: &email,
            purpose: Purpose::EmailConfirmation,
            payload: json!({}),
        };
        // While the link before is so young, its reader decides about the password before.
        if self.mail_token(tx, ctx, mail).await? {
            users::claim(tx, user, new.password_hash).await?;
            profiles::rename(tx, user, profile.full_name).await?;
            let activity = Activity::new("account.registered_again", "user", user).of(user);
            self.activity.record(tx, ctx, activity).await?;
        }
        Ok(true)
    }
}
