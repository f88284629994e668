use crate::routes::payments::view::SubscriptionView;
use crate::wire::Timestamp;
use eyemotion_auth::{AccountOverview, Profile, SessionTokens};
use eyemotion_core::UserRole;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a client keeps of being signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// For the `Authorization` header; ES256, checked with `/.well-known/jwks.json`.
    pub access_token: String,
    /// Good once, for the next pair of tokens.
    pub refresh_token: String,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// How the access token is sent.
    #[schema(example = "bearer")]
    pub token_type: &'static str,
}

impl From<SessionTokens> for SessionView {
    fn from(tokens: SessionTokens) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at.into(),
            token_type: SessionTokens::TOKEN_TYPE,
        }
    }
}

/// Standing on the platform.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleView {
    /// A filmmaker.
    User,
    /// Runs the platform.
    Admin,
    /// May change roles, too.
    SuperAdmin,
}

impl From<UserRole> for RoleView {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::User => Self::User,
            UserRole::Admin => Self::Admin,
            UserRole::SuperAdmin => Self::SuperAdmin,
        }
    }
}

/// What a person says of themself, and the role.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    id: Uuid,
    full_name: String,
    company_name: Option<String>,
    industry: String,
    country: String,
    phone: Option<String>,
    avatar_url: Option<String>,
    role: RoleView,
    /// The client's own settings.
    #[schema(value_type = Object)]
    preferences: Value,
    onboarding_completed: bool,
    email_verified: bool,
    last_login_at: Option<Timestamp>,
    /// Counts changes; the ETag.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.id.0,
            full_name: profile.full_name,
            company_name: profile.company_name,
            industry: profile.industry,
            country: profile.country,
            phone: profile.phone,
            avatar_url: profile.avatar_url,
            role: profile.role.into(),
            preferences: profile.preferences,
            onboarding_completed: profile.onboarding_completed,
            email_verified: profile.email_verified,
            last_login_at: profile.last_login_at.map(Timestamp),
            version: profile.version,
            created_at: profile.created_at.into(),
            updated_at: profile.updated_at.into(),
        }
    }
}

/// A person with profile and live subscription.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    id: Uuid,
    email: String,
    profile: ProfileView,
    subscription: Option<SubscriptionView>,
}

impl From<AccountOverview> for AccountView {
    fn from(account: AccountOverview) -> Self {
        Self {
            id: account.id.0,
            email: account.email,
            profile: account.profile.into(),
            subscription: account.subscription.map(SubscriptionView::from),
        }
    }
}
