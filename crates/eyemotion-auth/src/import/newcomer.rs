use crate::fields::{self, Bounds, Checks};
use crate::registration::{DEFAULT_COUNTRY, DEFAULT_INDUSTRY};
use chrono::{DateTime, Utc};
use eyemotion_core::{UserId, UserRole};
use serde_json::{Map, Value};

/// Somebody with an account elsewhere, as it is there.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Kept.
    pub id: UserId,
    /// The address; normalised on arrival.
    pub email: String,
    /// bcrypt or Argon2; none without a password. Replaced at the first sign-in; of another kind,
    /// or too costly to check, it is left behind.
    pub password_hash: Option<String>,
    /// When the address was confirmed.
    pub email_confirmed_at: Option<DateTime<Utc>>,
    /// Until when the person may not sign in.
    pub banned_until: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// The last sign-in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// What the person may do here.
    pub role: UserRole,
    /// Who the person is.
    pub profile: NewcomerProfile,
    /// With what else than a password the person signs in.
    pub identities: Vec<NewcomerIdentity>,
}

/// A profile as it is elsewhere. Texts that are too long are cut on arrival, what has no use here
/// is left behind: nobody stays outside for a telephone number.
#[derive(Clone, Debug, Default)]
pub struct NewcomerProfile {
    /// The name; without one, the address's local part.
    pub full_name: Option<String>,
    /// The company.
    pub company_name: Option<String>,
    /// The industry.
    pub industry: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// A picture's address.
    pub avatar_url: Option<String>,
    /// Settings of the client's.
    pub preferences: Map<String, Value>,
    /// Whether the tour was finished.
    pub onboarding_completed: bool,
}

/// An account at a provider, which may be signed in with.
#[derive(Clone, Debug)]
pub struct NewcomerIdentity {
    /// `google` or `github`.
    pub provider: String,
    /// The provider's own name, as in OpenID Connect's `iss`.
    pub issuer: String,
    /// The provider's name for the person, `sub`.
    pub subject: String,
    /// The address that the provider gave.
    pub email: Option<String>,
    /// Whether the provider had verified it.
    pub email_verified: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// A profile that the table takes.
pub(super) struct Cleaned {
    pub full_name: String,
    pub company_name: Option<String>,
    pub industry: String,
    pub country: String,
    pub phone: Option<String>,
    pub avatar_url: Option<String>,
    pub preferences: Value,
    pub onboarding_completed: bool,
}

impl NewcomerProfile {
    pub(super) fn cleaned(&self, email: &str) -> Cleaned {
        let text = |bounds, text: &Option<String>| clean(bounds, text.as_deref()?);
        let local = email.split('@').next().unwrap_or(email);
        let preferences = Value::Object(self.preferences.clone());
        Cleaned {
            full_name: text(fields::FULL_NAME, &self.full_name).unwrap_or_else(|| local.to_owned()),
            company_name: text(fields::COMPANY_NAME, &self.company_name),
            industry: text(fields::INDUSTRY, &self.industry)
                .unwrap_or_else(|| DEFAULT_INDUSTRY.to_owned()),
            country: text(fields::COUNTRY, &self.country)
                .unwrap_or_else(|| DEFAULT_COUNTRY.to_owned()),
            phone: text(fields::PHONE, &self.phone),
            avatar_url: allowed(|checks| checks.avatar_url(self.avatar_url.as_deref())).flatten(),
            preferences: allowed(|checks| {
                checks.preferences(&preferences);
                preferences
            })
            .unwrap_or_else(|| Value::Object(Map::new())),
            onboarding_completed: self.onboarding_completed,
        }
    }
}

/// The value, if it passes the checks that it is given to.
fn allowed<T>(check: impl FnOnce(&mut Checks) -> T) -> Option<T> {
    let mut checks = Checks::default();
    let value = check(&mut checks);
    checks.finish().is_ok().then_some(value)
}

/// As much of the text as fits; none if nothing is left of it.
fn clean(bounds: Bounds, text: &str) -> Option<String> {
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    let cut: String = shown.trim().chars().take(bounds.most()).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nobody_stays_outside_for_a_telephone_number() {
        let profile = NewcomerProfile {
            full_name: Some(" \u{0} ".to_owned()),
            company_name: Some("x".repeat(300)),
            phone: Some("0\n8".to_owned()),
            avatar_url: Some("javascript:alert(1)".to_owned()),
            preferences: json!({ "big": "x".repeat(40_000) })
                .as_object()
                .unwrap()
                .clone(),
            ..NewcomerProfile::default()
        };
        let cleaned = profile.cleaned("somchai@example.com");
        assert_eq!(cleaned.full_name, "somchai");
        assert_eq!(cleaned.company_name.unwrap().len(), 200);
        assert_eq!(cleaned.industry, "Film Production");
        assert_eq!(cleaned.country, "Thailand");
        assert_eq!(cleaned.phone.as_deref(), Some("08"));
        assert_eq!(cleaned.avatar_url, None);
        assert_eq!(cleaned.preferences, json!({}));
    }
}
