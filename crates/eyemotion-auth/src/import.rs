//! People of another platform, brought over with their ids, passwords and identities.

mod newcomer;
mod report;
mod source;

pub use newcomer::{Newcomer, NewcomerIdentity, NewcomerProfile};
pub use report::{ImportReport, Noted};
pub use source::{Found, SourceError, SupabaseSource};

use crate::account::AccountService;
use crate::error::AuthError;
use crate::privacy::id_hash;
use crate::repository::identities::{self, NewIdentityRow};
use crate::repository::imports::{self, RestOfProfile};
use crate::repository::profiles::NewProfileRow;
use crate::repository::users::NewUserRow;
use crate::stored_hash::{StoredHash, UnusableHash};
use async_trait::async_trait;
use eyemotion_core::{Actor, Ctx, EmailAddress};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Activity, NewAccount};
use serde_json::json;
use uuid::Uuid;

/// Brings people over. Who is here already stays as they are, so it may be done again.
#[async_trait]
pub trait Import: Send + Sync {
    /// Makes an account for each of them, each in a transaction of its own, with what every new
    /// person gets. A rehearsal does the same and takes it back. Answers in the order of `people`.
    ///
    /// # Errors
    /// [`AuthError::Forbidden`] for anybody but the platform; [`AuthError::Db`] if the database
    /// fails: who has arrived by then has arrived.
    async fn import(
        &self,
        ctx: &Ctx,
        people: &[Newcomer],
        rehearsal: bool,
    ) -> Result<Vec<Arrival>, AuthError>;
}

/// What became of a newcomer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Has an account now.
    Imported,
    /// Has an account now, and has to set a new password: the old one cannot be checked here.
    WithoutPassword(UnusableHash),
    /// Had one with this id already; nothing was changed.
    Present,
    /// Cannot come.
    Refused(Refusal),
}

/// Why somebody cannot be brought over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing could be sent there.
    #[error("the e-mail address is not valid")]
    Email,
    /// Not a person yet, and nobody could sign in.
    #[error("an anonymous account")]
    Anonymous,
    /// Gone from the other platform.
    #[error("the account was deleted there")]
    Deleted,
    /// Somebody known by a telephone number, say.
    #[error("there is no e-mail address")]
    NoEmail,
    /// Another person here has it.
    #[error("another account has the e-mail address")]
    EmailTaken,
    /// Another person here has it.
    #[error("another account has the identity at {0}")]
    IdentityTaken(String),
    /// The person was here and left: an import must not bring anybody back.
    #[error("the account was deleted here at its owner's wish")]
    Left,
    /// A rule of the tables.
    #[error("the database refuses it: {0}")]
    Rule(String),
}

#[async_trait]
impl Import for AccountService {
    async fn import(
        &self,
        ctx: &Ctx,
        people: &[Newcomer],
        rehearsal: bool,
    ) -> Result<Vec<Arrival>, AuthError> {
        let Actor::System(_) = ctx.actor else {
            return Err(AuthError::Forbidden);
        };
        let ids: Vec<Uuid> = people.iter().map(|person| person.id.0).collect();
        let mut tx = self.db.read(ctx).await?;
        let present = imports::present(&mut tx, &ids).await?;
        drop(tx);
        let mut arrivals = Vec::with_capacity(people.len());
        for person in people {
            let arrival = if present.contains(&person.id.0) {
                Arrival::Present
            } else {
                self.import_one(ctx, person, rehearsal).await?
            };
            arrivals.push(arrival);
        }
        Ok(arrivals)
    }
}

impl AccountService {
    async fn import_one(
        &self,
        ctx: &Ctx,
        person: &Newcomer,
        rehearsal: bool,
    ) -> Result<Arrival, AuthError> {
        let Ok(email) = EmailAddress::parse(&person.email) else {
            return Ok(Arrival::Refused(Refusal::Email));
        };
        let (password_hash, arrived) = match person.password_hash.as_deref() {
            Some(hash) => match StoredHash::parse(hash) {
                Ok(_) => (Some(hash), Arrival::Imported),
                Err(unusable) => (None, Arrival::WithoutPassword(unusable)),
            },
            None => (None, Arrival::Imported),
        };
        let mut tx = self.db.begin(ctx).await?;
        match self.admit(&mut tx, ctx, person, email, password_hash).await {
            Ok(None) if rehearsal => Ok(arrived),
            Ok(None) => match tx.commit().await {
                Ok(()) => Ok(arrived),
                Err(error) => refused(error.into()),
            },
            Ok(Some(refusal)) => Ok(Arrival::Refused(refusal)),
            Err(error) => refused(error),
        }
    }

    /// Adds the person, unless that is refused.
    async fn admit(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        person: &Newcomer,
        email: EmailAddress,
        password_hash: Option<&str>,
    ) -> Result<Option<Refusal>, AuthError> {
        if imports::has_left(tx, &id_hash(person.id)).await? {
            return Ok(Some(Refusal::Left));
        }
        for identity in &person.identities {
            let holder = identities::holder(tx, &identity.issuer, &identity.subject).await?;
            if holder.is_some() {
                return Ok(Some(Refusal::IdentityTaken(identity.provider.clone())));
            }
        }
        let confirmed = (!self.config.require_email_confirmation).then(|| self.clock.now());
        let user = NewUserRow {
            id: person.id.0,
            email: email.as_str(),
            password_hash,
            email_confirmed_at: person.email_confirmed_at.or(confirmed),
            created_at: person.created_at,
            last_sign_in_at: person.last_sign_in_at,
        };
        let profile = person.profile.cleaned(email.as_str());
        let row = NewProfileRow {
            id: person.id.0,
            full_name: &profile.full_name,
            company_name: profile.company_name.as_deref(),
            industry: &profile.industry,
            country: &profile.country,
            phone: profile.phone.as_deref(),
            role: person.role.as_str(),
            last_login_at: person.last_sign_in_at,
        };
        let account = NewAccount {
            id: person.id,
            email: email.clone(),
        };
        self.add_account(tx, ctx, &account, &user, &row).await?;
        let rest = RestOfProfile {
            avatar_url: profile.avatar_url.as_deref(),
            preferences: &profile.preferences,
            onboarding_completed: profile.onboarding_completed,
            email_verified: person.email_confirmed_at.is_some(),
            created_at: person.created_at,
        };
        imports::complete(tx, person.id, person.banned_until, &rest).await?;
        for identity in &person.identities {
            let row = NewIdentityRow {
                id: self.clock.new_id(),
                user_id: person.id.0,
                provider: &identity.provider,
                issuer: &identity.issuer,
                subject: &identity.subject,
                email: identity.email.as_deref(),
                email_verified: identity.email_verified,
                created_at: identity.created_at,
                last_sign_in_at: identity.last_sign_in_at,
            };
            identities::insert(tx, &row).await?;
        }
        let activity = Activity::new("account.imported", "user", person.id)
            .of(person.id)
            .with(json!({ "role": person.role, "identities": person.identities.len() }));
        self.activity.record(tx, ctx, activity).await?;
        Ok(None)
    }
}

/// What concerns one person does not end the import; what concerns all of them does.
fn refused(error: AuthError) -> Result<Arrival, AuthError> {
    let refusal = match error {
        AuthError::EmailTaken => Refusal::EmailTaken,
        AuthError::Db(DbError::Constraint { name, .. }) => Refusal::Rule(name),
        other => return Err(other),
    };
    Ok(Arrival::Refused(refusal))
}
