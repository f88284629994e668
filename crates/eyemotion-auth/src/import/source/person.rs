use crate::import::{Found, Newcomer, NewcomerIdentity, NewcomerProfile, Refusal};
use crate::people::FOR_GOOD;
use chrono::{DateTime, Utc};
use eyemotion_core::{EmailAddress, UserId, UserRole};
use eyemotion_db::ForeignRow;

/// What the tables say of one person.
pub(super) struct Pieces<'a> {
    pub user: &'a ForeignRow,
    pub identities: Vec<ForeignRow>,
    pub profile: Option<ForeignRow>,
}

impl Pieces<'_> {
    pub(super) fn found(self, id: UserId) -> Found {
        let role = self
            .profile
            .as_ref()
            .and_then(|profile| profile.text("role"));
        let role = role
            .and_then(|role| role.parse().ok())
            .filter(|role| *role > UserRole::User);
        let (identities, left_behind) = self.identities();
        let person = match self.obstacle() {
            Some(refusal) => Err(refusal),
            None => Ok(self.newcomer(id, identities)),
        };
        Found {
            id,
            role,
            left_behind,
            person,
        }
    }

    fn obstacle(&self) -> Option<Refusal> {
        if self.user.text("deleted_at").is_some() {
            Some(Refusal::Deleted)
        } else if self.user.flag("is_anonymous") {
            Some(Refusal::Anonymous)
        } else if self.user.text("email").is_none() {
            Some(Refusal::NoEmail)
        } else {
            None
        }
    }

    fn newcomer(&self, id: UserId, identities: Vec<NewcomerIdentity>) -> Newcomer {
        let user = self.user;
        // In old releases `confirmed_at` was the only one; in newer ones it is the earlier one of
        // telephone and address.
        let confirmed = ordinary(user, "email_confirmed_at")
            .or_else(|| ordinary(user, "confirmed_at").filter(|_| user.text("phone").is_none()));
        Newcomer {
            id,
            email: user.text("email").unwrap_or_default().to_owned(),
            password_hash: user.text("encrypted_password").map(str::to_owned),
            email_confirmed_at: confirmed,
            banned_until: user.moment("banned_until").map(|until| until.min(FOR_GOOD)),
            created_at: ordinary(user, "created_at").unwrap_or_else(Utc::now),
            last_sign_in_at: ordinary(user, "last_sign_in_at"),
            role: UserRole::User,
            profile: self.profile(),
            identities,
        }
    }

    /// What the profile's table says; else what was given at sign-up, or what a provider gave.
    fn profile(&self) -> NewcomerProfile {
        let profile = self.profile.as_ref();
        let text = |in_profile: &[&str], in_user: &[&str]| {
            let first = |row: &ForeignRow, names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| row.text(name))
                    .map(str::to_owned)
            };
            profile
                .and_then(|row| first(row, in_profile))
                .or_else(|| first(self.user, in_user))
        };
        NewcomerProfile {
            full_name: text(
                &["full_name", "name", "display_name"],
                &["full_name", "fullName", "name"],
            ),
            company_name: text(&["company_name"], &["company_name", "companyName"]),
            industry: text(&["industry"], &["industry"]),
            country: text(&["country"], &["country"]),
            phone: text(&["phone"], &["phone"]),
            avatar_url: text(&["avatar_url"], &["avatar_url", "picture"]),
            preferences: profile
                .and_then(|row| row.object("preferences").cloned())
                .unwrap_or_default(),
            onboarding_completed: profile.is_some_and(|row| row.flag("onboarding_completed")),
        }
    }

    /// Those that can be signed in with here, and the providers of the others. An identity of the
    /// provider `email` or `phone` is Supabase's name for a password.
    fn identities(&self) -> (Vec<NewcomerIdentity>, Vec<String>) {
        let (mut ours, mut left_behind) = (Vec::new(), Vec::new());
        for row in &self.identities {
            let provider = row.text("provider").unwrap_or("unknown");
            // Where there is no `provider_id`, `id` is the provider's.
            let subject = row.text("provider_id").or_else(|| row.text("id"));
            match (issuer(provider), subject) {
                (Some(issuer), Some(subject)) => ours.push(NewcomerIdentity {
                    provider: provider.to_owned(),
                    issuer: issuer.to_owned(),
                    subject: subject.to_owned(),
                    email: address(row),
                    email_verified: row.flag("email_verified"),
                    created_at: ordinary(row, "created_at")
                        .or_else(|| ordinary(self.user, "created_at"))
                        .unwrap_or_else(Utc::now),
                    last_sign_in_at: ordinary(row, "last_sign_in_at"),
                }),
                _ if ["email", "phone"].contains(&provider) => {}
                // `sso:` goes on with the id of a company.
                _ if provider.starts_with("sso:") => left_behind.push("sso".to_owned()),
                _ => left_behind.push(provider.to_owned()),
            }
        }
        (ours, left_behind)
    }
}

/// The provider's own name, as identities made here have it. Supabase signs in with these two
/// addresses only.
fn issuer(provider: &str) -> Option<&'static str> {
    match provider {
        "google" => Some("https://accounts.google.com"),
        "github" => Some("https://github.com"),
        _ => None,
    }
}

fn address(row: &ForeignRow) -> Option<String> {
    let email = EmailAddress::parse(row.text("email")?).ok()?;
    Some(email.as_str().to_owned())
}

/// A moment at which something may have happened.
fn ordinary(row: &ForeignRow, name: &str) -> Option<DateTime<Utc>> {
    row.moment(name)
        .filter(|moment| (DateTime::UNIX_EPOCH..FOR_GOOD).contains(moment))
}
