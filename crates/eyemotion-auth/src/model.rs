use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Money, UserId, UserRole};
use serde_json::Value;
use uuid::Uuid;

/// A person with profile and live subscription: what a client shows after sign-in.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountOverview {
    /// The person.
    pub id: UserId,
    /// The address, normalised.
    pub email: String,
    /// What the person says of themself, and the role.
    pub profile: Profile,
    /// The live subscription; none between two of them.
    pub subscription: Option<Subscription>,
}

/// A row of `user_profiles`.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Whose profile it is.
    pub id: UserId,
    /// 1 to 200 characters.
    pub full_name: String,
    /// At most 200 characters.
    pub company_name: Option<String>,
    /// At most 100 characters.
    pub industry: String,
    /// At most 100 characters.
    pub country: String,
    /// At most 40 characters, as typed.
    pub phone: Option<String>,
    /// An http or https address of at most 2048 characters.
    pub avatar_url: Option<String>,
    /// Standing on the platform; never writable by the person.
    pub role: UserRole,
    /// The client's own settings: an object, kept as it is.
    pub preferences: Value,
    /// Whether the person went through the introduction.
    pub onboarding_completed: bool,
    /// Whether the person has proved to own the address. Stays false while confirmation is off.
    pub email_verified: bool,
    /// The latest sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Counts every change; the ETag.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A live subscription, as the view `account_overview` sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// The subscription.
    pub id: Uuid,
    /// What it is a subscription to.
    pub plan: Plan,
    /// `active`, `trialing` or `past_due`.
    pub status: String,
    /// Start of the period that is paid for.
    pub current_period_start: DateTime<Utc>,
    /// End of the period that is paid for.
    pub current_period_end: DateTime<Utc>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When its trial ends or ended.
    pub trial_end: Option<DateTime<Utc>>,
    /// What came with the plan in this period.
    pub credits_included: Credits,
    /// What of that is spent.
    pub credits_used: Credits,
    /// What is left of bought and given credits.
    pub extra_credits: Credits,
    /// What can be spent now.
    pub credits_remaining: Credits,
    /// Bytes in use.
    pub storage_used_bytes: i64,
    /// Bytes that may be in use.
    pub storage_limit_bytes: i64,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// A plan, as far as a subscriber is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The plan.
    pub id: Uuid,
    /// `freemium`, `creator` ...
    pub name: String,
    /// The name for people.
    pub display_name: String,
    /// A sentence about it.
    pub description: String,
    /// For one interval.
    pub price: Money,
    /// `month` or `year`.
    pub billing_interval: String,
    /// Credits for each period.
    pub credits_included: Credits,
    /// Gigabytes (2^30 bytes) of storage.
    pub storage_gb: i32,
    /// Names of features: an array of strings.
    pub features: Value,
}
