//! Another address for the account.

use crate::account::{AccountService, as_platform, caller};
use crate::error::AuthError;
use crate::fields::Checks;
use crate::recovery::Proof;
use crate::recovery::mailing::TokenMail;
use crate::recovery::password::wrong_value;
use crate::recovery::purpose::Purpose;
use crate::repository::{one_time_tokens, profiles, users};
use crate::throttle::Rule;
use eyemotion_core::{Ctx, EmailAddress, FieldError, UserId};
use eyemotion_ports::Activity;
use secrecy::SecretString;
use serde_json::{Map, json};

impl AccountService {
    pub(crate) async fn begin_email_change(
        &self,
        ctx: &Ctx,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<(), AuthError> {
        let (user, _) = caller(ctx)?;
        let mut checks = Checks::default();
        let email = checks.email(email);
        checks.finish()?;
        let email = email.ok_or_else(|| AuthError::Invalid(Vec::new()))?;
        let counters = if let Some(password) = password {
            self.check_own_password(ctx, password)
                .await
                .map_err(|error| wrong_value(error, "/password"))?
        } else {
            let mut tx = self.db.begin_for(ctx).await?;
            self.require_recent(&mut tx, ctx).await?;
            Vec::new()
        };
        let mut tx = self.db.read_for(ctx).await?;
        let person = users::person(&mut tx, user)
            .await?
            .ok_or(AuthError::SessionEnded)?;
        drop(tx);
        if person.email == email.as_str() {
            let fault = FieldError::new("/email", "unchanged", "is the account's address already");
            return Err(AuthError::Invalid(vec![fault]));
        }
        self.throttle(ctx, Rule::MAIL, email.as_str()).await?;

        // The platform's: whether somebody else has the address, the caller may not see.
        let platform = as_platform(ctx);
        let mut tx = self.db.begin(&platform).await?;
        self.count_success(&mut tx, &counters).await?;
        let owner = users::credential(&mut tx, email.as_str()).await?;
        if let Some(owner) = owner {
            let owner = UserId(owner.id);
            self.notify(
                &mut tx,
                &platform,
                owner,
                &email,
                "account_exists",
                Map::new(),
            )
            .await?;
        } else {
            let mail = TokenMail {
                user,
                to: &email,
                purpose: Purpose::EmailChange,
                payload: json!({ "email": email }),
            };
            self.mail_token(&mut tx, &platform, mail).await?;
        }
        let activity = Activity::new("account.email_change_requested", "user", user);
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn finish_email_change(
        &self,
        ctx: &Ctx,
        proof: &Proof,
    ) -> Result<String, AuthError> {
        let (mut tx, proved) = self.take_proof(ctx, Purpose::EmailChange, proof).await?;
        let user = proved.user;
        let wanted = proved.payload["email"].as_str().unwrap_or_default();
        let email = EmailAddress::parse(wanted)
            .ok()
            .ok_or(AuthError::ProofInvalid)?;
        let person = users::person(&mut tx, user)
            .await?
            .ok_or(AuthError::ProofInvalid)?;
        let platform = as_platform(ctx);
        users::set_email(&mut tx, user, email.as_str(), self.clock.now()).await?;
        profiles::verify_email(&mut tx, user).await?;
        // Whoever reads the former address's mail must not get in by it any more.
        one_time_tokens::take_all(&mut tx, user).await?;
        if let Ok(former) = EmailAddress::parse(&person.email) {
            let data = Map::from_iter([("email".to_owned(), json!(email))]);
            self.notify(&mut tx, &platform, user, &former, "email_changed", data)
                .await?;
        }
        let activity = Activity::new("account.email_changed", "user", user).of(user);
        self.activity.record(&mut tx, &platform, activity).await?;
        tx.commit().await?;
        Ok(email.as_str().to_owned())
    }
}
