//! What admins see of people and do to them.

mod acts;
mod reads;

use crate::error::AuthError;
use crate::model::AccountOverview;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Ctx, Cursor, PageRequest, UserId, UserRole};

/// People, as operators know them. Nobody but an admin sees anything here. Who acts on somebody
/// stands above them: admins act on users, super_admins on everybody, nobody on themself.
///
/// Every act takes effect at once, on sessions that are under way, too. Each is noted in the log
/// of the person, with the name of who acted.
#[async_trait]
pub trait People: Send + Sync {
    /// People, the newest first, and how many there are in all.
    async fn list(
        &self,
        ctx: &Ctx,
        filter: PeopleFilter,
        part: Part,
    ) -> Result<PeopleList, AuthError>;

    /// One of them with profile and subscription.
    ///
    /// # Errors
    /// [`AuthError::NoSuchUser`].
    async fn person(&self, ctx: &Ctx, user: UserId) -> Result<PersonDetail, AuthError>;

    /// Gives a role; the person is told by mail. For super_admins who have proved a short time ago
    /// who they are.
    ///
    /// # Errors
    /// [`AuthError::ReauthenticationNeeded`], [`AuthError::Forbidden`], [`AuthError::OwnAccount`], [`AuthError::LastSuperAdmin`],
    /// [`AuthError::NoSuchUser`].
    async fn change_role(
        &self,
        ctx: &Ctx,
        user: UserId,
        role: UserRole,
    ) -> Result<Person, AuthError>;

    /// Ends somebody's sessions and refuses new ones. On somebody banned, the new ban replaces
    /// the old one.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], and as [`People::change_role`].
    async fn ban(&self, ctx: &Ctx, user: UserId, ban: NewBan) -> Result<Person, AuthError>;

    /// Lifts a ban; without one nothing changes.
    ///
    /// # Errors
    /// As [`People::change_role`].
    async fn unban(&self, ctx: &Ctx, user: UserId) -> Result<Person, AuthError>;

    /// Ends somebody's sessions: how many there were.
    ///
    /// # Errors
    /// As [`People::change_role`].
    async fn end_sessions(&self, ctx: &Ctx, user: UserId) -> Result<usize, AuthError>;
}

/// Which people are wanted.
#[derive(Clone, Debug, Default)]
pub struct PeopleFilter {
    /// A piece of the address or of the name, in any case; taken literally.
    pub text: Option<String>,
    /// Those of this role.
    pub role: Option<UserRole>,
    /// Those who stand so; none: all but the deleted.
    pub status: Option<AccountStatus>,
}

/// Which part of the list is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// A page by its number, from 1.
    Numbered {
        /// Which one.
        page: i64,
        /// Rows of a page, 1 to 100.
        limit: i64,
    },
    /// What follows a row, however long the list.
    After(PageRequest),
}

/// A part of the list of people.
#[derive(Clone, Debug)]
pub struct PeopleList {
    /// As many as were asked for, or the rest.
    pub people: Vec<Person>,
    /// How many the filter leaves in all.
    pub total: i64,
    /// Where the next part starts; none after the last.
    pub next: Option<Cursor>,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// It may.
    Active,
    /// The address is still to be confirmed.
    Unconfirmed,
    /// An operator has banned the person.
    Banned,
    /// The account is deleted, or about to be.
    Deleted,
}

impl AccountStatus {
    /// Every one of them.
    pub const ALL: &'static [Self] =
        &[Self::Active, Self::Unconfirmed, Self::Banned, Self::Deleted];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Unconfirmed => "unconfirmed",
            Self::Banned => "banned",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.as_str() == text)
    }
}

/// A person in an operator's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The person.
    pub id: UserId,
    /// The address, normalised.
    pub email: String,
    /// See [`crate::Profile::full_name`].
    pub full_name: String,
    /// See [`crate::Profile::company_name`].
    pub company_name: Option<String>,
    /// See [`crate::Profile::country`].
    pub country: String,
    /// Standing on the platform.
    pub role: UserRole,
    /// Whether the account may be used.
    pub status: AccountStatus,
    /// The ban that is in force.
    pub ban: Option<Ban>,
    /// The name of the live subscription's plan.
    pub plan: Option<String>,
    /// The live subscription's status.
    pub subscription_status: Option<String>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// The latest sign-in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// A person with everything that an operator needs at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonDetail {
    /// As in the list.
    pub person: Person,
    /// Profile and subscription.
    pub account: AccountOverview,
    /// Sessions that live.
    pub sessions: i64,
}

/// A ban in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Until when; none: for good.
    pub until: Option<DateTime<Utc>>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

/// A ban to be.
#[derive(Clone, Debug, Default)]
pub struct NewBan {
    /// Until when, some time in the future; none: for good.
    pub until: Option<DateTime<Utc>>,
    /// Why; at most 500 characters, shown to operators.
    pub reason: Option<String>,
}

/// What stands in `banned_until` for "for good": 9999-12-31.
pub(crate) const FOR_GOOD: DateTime<Utc> = match DateTime::from_timestamp(253_402_214_400, 0) {
    Some(moment) => moment,
    None => DateTime::<Utc>::MAX_UTC,
};
