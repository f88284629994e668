//! How an account comes to be: everything of it in one transaction.

use crate::access_token::Subject;
use crate::account::AccountService;
use crate::error::AuthError;
use crate::fields::{self, Checks};
use crate::repository::profiles::{self, NewProfileRow};
use crate::repository::users::{self, NewUserRow};
use crate::service::{NewUser, Registered};
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
    /// person may sign in at once and, if that is wished, has a session from the start.
    pub(crate) async fn create_account(
        &self,
        ctx: &Ctx,
        new: NewUser,
        role: UserRole,
        with_session: bool,
    ) -> Result<Registered, AuthError> {
        let draft = check(&new)?;
        let password_hash = self.passwords.hash(new.password).await?;
        let id = UserId(self.clock.new_id());
        let now = self.clock.now();
        let confirmed = !self.config.require_email_confirmation;
        let session = (confirmed && with_session).then(|| SessionId(self.clock.new_id()));
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
            email_confirmed_at: confirmed.then_some(now),
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
        self.add_account(&mut tx, ctx, &account, &user, &profile)
            .await?;
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
        Ok(Registered {
            id,
            email: account.email,
            full_name: draft.full_name,
            company_name: draft.company_name,
            session: tokens,
        })
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
