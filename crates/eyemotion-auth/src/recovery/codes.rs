//! A mailed code as the fresh proof that accounts without a password can give.

use crate::account::{AccountService, caller};
use crate::error::AuthError;
use crate::recovery::mailing::TokenMail;
use crate::recovery::purpose::Purpose;
use crate::repository::one_time_tokens::Holder;
use crate::repository::{sessions, users};
use crate::throttle::Rule;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::{Ctx, EmailAddress};
use serde_json::json;

/// Codes that somebody has mailed to themself.
const CODE_MAILS: Rule = Rule::window("code_mail", 4, TimeDelta::hours(1));

impl AccountService {
    pub(crate) async fn mail_reauthentication_code(&self, ctx: &Ctx) -> Result<(), AuthError> {
        let (user, session) = caller(ctx)?;
        let mut tx = self.db.begin_for(ctx).await?;
        if !sessions::is_live(&mut tx, session, self.clock.now()).await? {
            return Err(AuthError::SessionEnded);
        }
        let person = users::person(&mut tx, user)
            .await?
            .ok_or(AuthError::SessionEnded)?;
        drop(tx);
        let Ok(email) = EmailAddress::parse(&person.email) else {
            return Ok(());
        };
        self.throttle(ctx, CODE_MAILS, &user.to_string()).await?;
        let mut tx = self.db.begin_for(ctx).await?;
        let mail = TokenMail {
            user,
            to: &email,
            purpose: Purpose::Reauthentication,
            payload: json!({ "session": session }),
        };
        self.mail_token(&mut tx, ctx, mail).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes that the caller has just typed the mailed code; since when.
    pub(crate) async fn prove_code(
        &self,
        ctx: &Ctx,
        code: &str,
    ) -> Result<DateTime<Utc>, AuthError> {
        let (user, session) = caller(ctx)?;
        let subject = user.to_string();
        let holder = Holder::Person(user);
        let (mut tx, proved) = self
            .take_code(ctx, Purpose::Reauthentication, holder, &subject, code)
            .await?;
        let now = self.clock.now();
        let living = sessions::authenticated_at(&mut tx, session, now).await?;
        living.ok_or(AuthError::SessionEnded)?;
        // Asked for in one session, it proves nothing in another.
        if proved.payload["session"] != json!(session) {
            return Err(AuthError::ProofInvalid);
        }
        let at = self
            .note_authenticated(&mut tx, ctx, session, "mailed_code")
            .await?;
        tx.commit().await?;
        Ok(at)
    }
}
