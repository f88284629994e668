use crate::names::SubscriptionStatus;
use crate::routes::auth::view::RoleView;
use crate::wire::{Success, Timestamp};
use eyemotion_auth::{AccountStatus, Ban, Person};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whether an account may be used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatusView {
    /// It may.
    Active,
    /// The address is still to be confirmed.
    Unconfirmed,
    /// An operator has banned the person.
    Banned,
    /// The account is deleted, or about to be.
    Deleted,
}

impl From<AccountStatus> for AccountStatusView {
    fn from(status: AccountStatus) -> Self {
        match status {
            AccountStatus::Active => Self::Active,
            AccountStatus::Unconfirmed => Self::Unconfirmed,
            AccountStatus::Banned => Self::Banned,
            AccountStatus::Deleted => Self::Deleted,
        }
    }
}

/// A ban in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BanView {
    /// Until when; null: for good.
    until: Option<Timestamp>,
    reason: Option<String>,
}

impl From<Ban> for BanView {
    fn from(ban: Ban) -> Self {
        Self {
            until: ban.until.map(Timestamp),
            reason: ban.reason,
        }
    }
}

/// A person, as operators see them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminUserView {
    id: Uuid,
    email: String,
    full_name: String,
    company_name: Option<String>,
    country: String,
    role: RoleView,
    status: AccountStatusView,
    ban: Option<BanView>,
    /// The name of the live subscription's plan.
    #[schema(example = "freemium")]
    plan: Option<String>,
    #[schema(value_type = Option<SubscriptionStatus>)]
    subscription_status: Option<String>,
    created_at: Timestamp,
    last_sign_in_at: Option<Timestamp>,
}

impl From<Person> for AdminUserView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id.0,
            email: person.email,
            full_name: person.full_name,
            company_name: person.company_name,
            country: person.country,
            role: person.role.into(),
            status: person.status.into(),
            ban: person.ban.map(BanView::from),
            plan: person.plan,
            subscription_status: person.subscription_status,
            created_at: person.created_at.into(),
            last_sign_in_at: person.last_sign_in_at.map(Timestamp),
        }
    }
}

/// A person after an operator's act.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminUserAnswer {
    success: Success,
    message: &'static str,
    user: AdminUserView,
}

impl AdminUserAnswer {
    /// With a sentence for people.
    pub fn new(message: &'static str, person: Person) -> Self {
        Self {
            success: Success,
            message,
            user: person.into(),
        }
    }
}
