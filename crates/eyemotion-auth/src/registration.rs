//! How an account comes to be: everything of it in one transaction.

use crate::access_token::Subject;
use crate::account::AccountService;
use crate::error::AuthError;
use crate::fields::{self, Checks};
use crate::password_policy::About;
use crate::repository::profiles::{self, NewProfileRow};
use crate::repository::users::{self, NewUserRow};
use crate::service::{NewUser, Registered, SessionTokens};
use crate::throttle::Rule;
use eyemotion_core::{Ctx, EmailAddress, SessionId, UserId, UserRole};
use eyemotion_db::Tx;
use eyemotion_ports::{Activity, NewAccount};
use serde_json::json;

pub(crate) const DEFAULT_INDUSTRY: &str = "Film Production";
pub(crate) const DEFAULT_COUNTRY: &str = "Thailand";

/// What was asked for, checked.
struct Draft {
    email: EmailAddress,
    full_name: String,
    company_name: Option<String>,
    industry: String,
    country: String,
    phone: Option<String>,
}

impl Draft {
    fn into_registered(self, id: UserId, session: Option<SessionTokens>) -> Registered {
        Registered {
            id,
            email: self.email,
            full_name: self.full_name,
            company_name: self.company_name,
            session,
        }
    }
}

fn check(new: &NewUser) -> Result<Draft, AuthError> {
    let mut checks = Checks::default();
    let email = checks.email(&new.email);
    checks.password(&new.password);
    let full_name = checks.text(fields::FULL_NAME, &new.full_name);
    let company_name = checks.optional_text(fields::COMPANY_NAME, new.company_name.as_deref());
    let industry = checks.optional_text(fields::INDUSTRY, new.industry.as_deref());
    let country = checks.optional_text(fields::COUNTRY, new.country.as_deref());
    let phone = checks.optional_text(fields::PHONE, new.phone.as_deref());
    checks.finish()?;
    Ok(Draft {
        // An address that could not be read has failed the checks.
        email: email.ok_or_else(|| AuthError::Invalid(Vec::new()))?,
        full_name,
        company_name,
        industry: industry.unwrap_or_else(|| DEFAULT_INDUSTRY.to_owned()),
        country: country.unwrap_or_else(|| DEFAULT_COUNTRY.to_owned()),
        phone,
    })
}

impl AccountService {
    /// Makes an account; `ctx` is the platform's. Where addresses need no confirmation, the new
    /// person may sign in at once and, if that is wished, has a session from the start. Where they
    /// do, whoever registers with an address that has an account is told the same as everybody; its
    /// owner gets a mail. An operator's account (without a session) needs no confirmation.
    pub(crate) async fn create_account(
        &self,
        ctx: &Ctx,
        new: NewUser,
        role: UserRole,
        with_session: bool,
    ) -> Result<Registered, AuthError> {
        let draft = check(&new)?;
        let about = About {
            email: draft.email.as_str(),
            full_name: &draft.full_name,
            company_name: draft.company_name.as_deref(),
        };
        self.policy.check("/password", &new.password, &about)?;
        let to_confirm = self.config.require_email_confirmation && with_session;
        if to_confirm {
            self.throttle(ctx, Rule::MAIL, draft.email.as_str()).await?;
        }
        let password_hash = self.passwords.hash(new.password).await?;
        let id = UserId(self.clock.new_id());
        let now = self.clock.now();
        let session = (with_session && !to_confirm).then(|| SessionId(self.clock.new_id()));
        let signed_in_at = session.map(|_| now);

        let mut tx = self.db.begin(ctx).await?;
        let account = NewAccount {
            id,
            email: draft.email.clone(),
        };
        let user = NewUserRow {
            id: id.0,
            email: draft.email.as_str(),
            password_hash: Some(&password_hash),
            email_confirmed_at: (!to_confirm).then_some(now),
            created_at: now,
            last_sign_in_at: signed_in_at,
        };
        let profile = NewProfileRow {
            id: id.0,
            full_name: &draft.full_name,
            company_name: draft.company_name.as_deref(),
            industry: &draft.industry,
            country: &draft.country,
            phone: draft.phone.as_deref(),
            role: role.as_str(),
            last_login_at: signed_in_at,
        };
        if to_confirm && self.register_again(&mut tx, ctx, &user, &profile).await? {
            tx.commit().await?;
            return Ok(draft.into_registered(id, None));
        }
        match self
            .add_account(&mut tx, ctx, &account, &user, &profile)
            .await
        {
            // Somebody else registers with the address at this very moment.
            Err(AuthError::EmailTaken) if to_confirm => {
                return Ok(draft.into_registered(id, None));
            }
            added => added?,
        }
        if to_confirm {
            self.mail_confirmation(&mut tx, ctx, id, &account.email)
                .await?;
        }
        let tokens = match session {
            Some(session) => {
                let email = account.email.as_str().to_owned();
                let subject = Subject {
                    user: id,
                    email,
                    role,
                    session,
                };
                Some(self.open_session(&mut tx, ctx, &subject).await?)
            }
            None => None,
        };
        let activity = Activity::new("account.registered", "user", id)
            .of(id)
            .with(json!({ "role": role, "sessionId": session }));
        self.activity.record(&mut tx, ctx, activity).await?;
        tx.commit().await?;
        Ok(draft.into_registered(id, tokens))
    }

    /// Adds the account with its profile and what every domain gives a new person: the one way in
    /// which accounts come to be.
    pub(crate) async fn add_account(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        account: &NewAccount,
        user: &NewUserRow<'_>,
        profile: &NewProfileRow<'_>,
    ) -> Result<(), AuthError> {
        users::insert(tx, user).await?;
        profiles::insert(tx, profile).await?;
        for domain in &self.lifecycle {
            domain.registered(tx, ctx, account).await?;
        }
        Ok(())
    }
}
