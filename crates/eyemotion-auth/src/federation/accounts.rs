//! What becomes of somebody whom a provider vouches for.

use super::error::FederationError;
use super::linking::{Candidate, Decision, Refusal, Standing, decide};
use super::provider::Claim;
use super::service::FederationService;
use super::{Federated, Provider};
use crate::account::as_platform;
use crate::error::AuthError;
use crate::registration::{DEFAULT_COUNTRY, DEFAULT_INDUSTRY};
use crate::repository::identities::{self, CandidateRow};
use crate::repository::profiles::{self, NewProfileRow};
use crate::repository::users::NewUserRow;
use crate::repository::{claimed, one_time_tokens, sessions};
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, EmailAddress, SessionId, UserId, UserRole};
use eyemotion_db::Tx;
use eyemotion_ports::{Activity, NewAccount};
use serde_json::json;

/// Two first sign-ins at once: the second finds what the first has made.
const ATTEMPTS: u8 = 3;

/// Somebody who comes in, and how the log tells of it.
pub(super) struct Entry {
    pub user: UserId,
    pub email: String,
    pub role: UserRole,
    pub action: &'static str,
}

impl FederationService {
    /// Signs somebody in, after making, joining or claiming an account where that is due.
    pub(super) async fn admit(
        &self,
        ctx: &Ctx,
        provider: Provider,
        claim: &Claim,
    ) -> Result<Federated, FederationError> {
        let mut attempt = 1;
        loop {
            match self.try_admit(ctx, provider, claim).await {
                Err(error) if attempt < ATTEMPTS && lost_race(&error) => attempt += 1,
                done => return done,
            }
        }
    }

    async fn try_admit(
        &self,
        ctx: &Ctx,
        provider: Provider,
        claim: &Claim,
    ) -> Result<Federated, FederationError> {
        let platform = as_platform(ctx);
        let now = self.accounts.clock.now();
        let email = claim.email.as_deref();
        let email = email.and_then(|email| EmailAddress::parse(email).ok());
        let mut tx = self.accounts.db.begin(&platform).await?;
        let holder = identities::holder(&mut tx, &claim.issuer, &claim.subject).await?;
        let known = match holder {
            Some(user) => identities::candidate(&mut tx, user).await?,
            None => None,
        };
        let namesake = match (&known, &email) {
            (None, Some(email)) => identities::namesake(&mut tx, email.as_str()).await?,
            _ => None,
        };
        let decision = decide(
            known.as_ref().map(|row| candidate(row, now)),
            namesake.as_ref().map(|row| candidate(row, now)),
            claim.email_verified && email.is_some(),
        );
        let existing = known.or(namesake);
        let entry = match (decision, existing, email) {
            (Decision::Refuse(refusal), ..) => return Err(refused(refusal)),
            (Decision::SignIn(_), Some(account), _) => {
                let (email, verified) = (claim.email.as_deref(), claim.email_verified);
                let (issuer, subject) = (&claim.issuer, &claim.subject);
                identities::touch(&mut tx, issuer, subject, email, verified, now).await?;
                entry(account, "session.created")?
            }
            (Decision::Join(_), Some(account), _) => {
                let entry = entry(account, "identity.linked")?;
                self.link(&mut tx, ctx, provider, claim, &entry, now)
                    .await?;
                entry
            }
            (Decision::Claim(_), Some(account), _) => {
                let entry = entry(account, "account.claimed")?;
                self.claim_account(&mut tx, entry.user, now).await?;
                self.link(&mut tx, ctx, provider, claim, &entry, now)
                    .await?;
                entry
            }
            (Decision::Create, _, Some(email)) => {
                self.create(&mut tx, &platform, provider, claim, email, now)
                    .await?
            }
            // The decision is made from these very values.
            (..) => return Err(FederationError::EmailUnverified),
        };
        self.open(tx, ctx, provider, entry).await
    }

    /// Opens the session and commits.
    async fn open(
        &self,
        mut tx: Tx,
        ctx: &Ctx,
        provider: Provider,
        entry: Entry,
    ) -> Result<Federated, FederationError> {
        let Entry { user, action, .. } = entry;
        let session = SessionId(self.accounts.clock.new_id());
        let (subject, tokens) = self
            .accounts
            .enter(&mut tx, &as_platform(ctx), user, session, &[])
            .await?;
        let own = ctx.with_actor(Actor::User {
            id: user,
            session,
            role: subject.role,
        });
        let activity =
            Activity::new(action, "session", session).with(json!({ "method": provider.as_str() }));
        Ok(Federated {
            account: Box::pin(self.accounts.entered(tx, &own, activity)).await?,
            tokens: Some(tokens),
        })
    }

    /// Makes an account whose address the provider has verified.
    async fn create(
        &self,
        tx: &mut Tx,
        platform: &Ctx,
        provider: Provider,
        claim: &Claim,
        email: EmailAddress,
        now: DateTime<Utc>,
    ) -> Result<Entry, FederationError> {
        let id = UserId(self.accounts.clock.new_id());
        let role = UserRole::User;
        let full_name = full_name(claim, &email);
        let user = NewUserRow {
            id: id.0,
            email: email.as_str(),
            password_hash: None,
            email_confirmed_at: Some(now),
            created_at: now,
            last_sign_in_at: Some(now),
        };
        let profile = NewProfileRow {
            id: id.0,
            full_name: &full_name,
            company_name: None,
            industry: DEFAULT_INDUSTRY,
            country: DEFAULT_COUNTRY,
            phone: None,
            role: role.as_str(),
            last_login_at: Some(now),
        };
        let account = NewAccount {
            id,
            email: email.clone(),
        };
        self.accounts
            .add_account(tx, platform, &account, &user, &profile)
            .await?;
        claimed::prove_email(tx, id, now).await?;
        if let Some(picture) = claim.picture.as_deref().filter(|url| is_picture(url)) {
            claimed::set_avatar(tx, id, picture).await?;
        }
        self.insert_identity(tx, provider, claim, id, now).await?;
        Ok(Entry {
            user: id,
            email: email.to_string(),
            role,
            action: "account.registered",
        })
    }

    /// Takes from whoever made the account all that they could come back with.
    async fn claim_account(
        &self,
        tx: &mut Tx,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), FederationError> {
        claimed::forget_credentials(tx, user, now).await?;
        sessions::revoke_all(tx, user, None, "account_claimed", now).await?;
        one_time_tokens::take_all(tx, user).await?;
        identities::delete_all(tx, user).await?;
        claimed::prove_email(tx, user, now).await?;
        Ok(())
    }
}

pub(super) fn candidate(row: &CandidateRow, now: DateTime<Utc>) -> Candidate {
    let banned = row.banned_until.filter(|until| now < *until);
    Candidate {
        user: UserId(row.id),
        standing: match (row.deleted_at, banned) {
            (Some(_), _) => Standing::Deleted,
            (None, Some(until)) => Standing::Banned(until),
            (None, None) => Standing::Good,
        },
        email_proved: row.email_verified,
    }
}

pub(super) fn entry(account: CandidateRow, action: &'static str) -> Result<Entry, FederationError> {
    Ok(Entry {
        user: UserId(account.id),
        email: account.email,
        role: profiles::parse_role(&account.role)?,
        action,
    })
}

fn refused(refusal: Refusal) -> FederationError {
    match refusal {
        Refusal::Banned(until) => AuthError::Banned(until).into(),
        Refusal::Deleted => FederationError::AccountClosed,
        Refusal::EmailUnverified => FederationError::EmailUnverified,
    }
}

/// Whether another request was first to take the address or the identity.
pub(super) fn lost_race(error: &FederationError) -> bool {
    match error {
        FederationError::Auth(AuthError::EmailTaken) => true,
        FederationError::Auth(AuthError::Db(error)) => {
            error.constraint() == Some("identities_issuer_subject_key")
        }
        _ => false,
    }
}

/// The person's name as the provider gives it, in the profile's bounds.
fn full_name(claim: &Claim, email: &EmailAddress) -> String {
    let clean = |name: &str| -> String {
        let printable = name.chars().filter(|c| !c.is_control());
        printable.take(200).collect::<String>().trim().to_owned()
    };
    let given = claim.name.as_deref().map(clean);
    given.filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let local = email.as_str().split('@').next();
        local.unwrap_or_default().to_owned()
    })
}

fn is_picture(url: &str) -> bool {
    url.starts_with("https://") && url.chars().count() <= 2048 && !url.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: Option<&str>) -> String {
        let claim = Claim {
            issuer: String::new(),
            subject: String::new(),
            email: None,
            email_verified: false,
            name: name.map(ToOwned::to_owned),
            picture: None,
        };
        full_name(&claim, &EmailAddress::parse("ada@example.com").unwrap())
    }

    #[test]
    fn names_fit_the_profile() {
        assert_eq!(named(Some(" Ada\u{0}\r\n Lovelace ")), "Ada Lovelace");
        assert_eq!(named(Some(&"ä".repeat(300))), "ä".repeat(200));
        for nothing in [None, Some(""), Some(" \t\u{7f}")] {
            assert_eq!(named(nothing), "ada");
        }
    }

    #[test]
    fn pictures_are_loaded_over_tls() {
        assert!(is_picture("https://avatars.example.com/1"));
        for bad in [
            "http://avatars.example.com/1",
            "javascript:alert(1)",
            "https://a\nb",
        ] {
            assert!(!is_picture(bad), "{bad}");
        }
        assert!(!is_picture(&format!("https://{}", "a".repeat(2048))));
    }
}
