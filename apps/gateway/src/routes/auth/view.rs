use crate::names::{BillingInterval, SubscriptionStatus};
use crate::wire::Timestamp;
use eyemotion_auth::{AccountOverview, Plan, Profile, SessionTokens, Subscription};
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

/// A live subscription with its plan and the credits left.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountSubscriptionView {
    id: Uuid,
    plan: AccountPlanView,
    #[schema(value_type = SubscriptionStatus)]
    status: String,
    current_period_start: Timestamp,
    current_period_end: Timestamp,
    cancel_at_period_end: bool,
    cancelled_at: Option<Timestamp>,
    trial_end: Option<Timestamp>,
    /// What came with the plan in this period.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_included: i64,
    /// What of that is spent.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_used: i64,
    /// What is left of bought and given credits.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    extra_credits: i64,
    /// What can be spent now.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    credits_remaining: i64,
    /// Bytes in use.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    storage_used: i64,
    /// Bytes that may be in use.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    storage_limit: i64,
}

impl From<Subscription> for AccountSubscriptionView {
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id,
            plan: subscription.plan.into(),
            status: subscription.status,
            current_period_start: subscription.current_period_start.into(),
            current_period_end: subscription.current_period_end.into(),
            cancel_at_period_end: subscription.cancel_at_period_end,
            cancelled_at: subscription.cancelled_at.map(Timestamp),
            trial_end: subscription.trial_end.map(Timestamp),
            credits_included: subscription.credits_included.0,
            credits_used: subscription.credits_used.0,
            extra_credits: subscription.extra_credits.0,
            credits_remaining: subscription.credits_remaining.0,
            storage_used: subscription.storage_used_bytes,
            storage_limit: subscription.storage_limit_bytes,
        }
    }
}

/// A plan, as far as its subscriber is shown it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountPlanView {
    id: Uuid,
    #[schema(example = "freemium")]
    name: String,
    display_name: String,
    /// Minor units of `currency`: satang for THB.
    #[schema(maximum = 9_007_199_254_740_991_i64, example = 29900)]
    price: i64,
    #[schema(example = "THB")]
    currency: String,
    #[schema(value_type = BillingInterval)]
    billing_interval: String,
    /// Gigabytes of 2^30 bytes.
    storage_gb: i32,
    #[schema(value_type = Vec<String>)]
    features: Value,
}

impl From<Plan> for AccountPlanView {
    fn from(plan: Plan) -> Self {
        Self {
            id: plan.id,
            name: plan.name,
            display_name: plan.display_name,
            price: plan.price.amount,
            currency: plan.price.currency,
            billing_interval: plan.billing_interval,
            storage_gb: plan.storage_gb,
            features: plan.features,
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
    subscription: Option<AccountSubscriptionView>,
}

impl From<AccountOverview> for AccountView {
    fn from(account: AccountOverview) -> Self {
        Self {
            id: account.id.0,
            email: account.email,
            profile: account.profile.into(),
            subscription: account.subscription.map(AccountSubscriptionView::from),
        }
    }
}
