//! The view `admin_users`, which admins read, and what an operator's act needs to know.

use crate::people::{AccountStatus, Ban, FOR_GOOD, Part, PeopleFilter, Person};
use crate::repository::profiles::parse_role;
use crate::schema::{admin_users, sessions, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use eyemotion_core::{UserId, UserRole};
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Where `part` begins in `text`, from 1; 0: nowhere. Knows no wildcards.
    fn strpos(text: Text, part: Text) -> Integer;
    fn lower(text: Text) -> Text;
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = admin_users)]
pub(crate) struct PersonRow {
    pub id: Uuid,
    email: String,
    full_name: String,
    company_name: Option<String>,
    country: String,
    role: String,
    email_confirmed_at: Option<DateTime<Utc>>,
    banned_until: Option<DateTime<Utc>>,
    ban_reason: Option<String>,
    deleted_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    last_sign_in_at: Option<DateTime<Utc>>,
    plan_name: Option<String>,
    subscription_status: Option<String>,
}

impl PersonRow {
    pub(crate) fn into_person(self, now: DateTime<Utc>) -> Result<Person, DbError> {
        let ban = self.banned_until.filter(|until| now < *until);
        let status = if self.deleted_at.is_some() {
            AccountStatus::Deleted
        } else if ban.is_some() {
            AccountStatus::Banned
        } else if self.email_confirmed_at.is_none() {
            AccountStatus::Unconfirmed
        } else {
            AccountStatus::Active
        };
        Ok(Person {
            id: UserId(self.id),
            role: parse_role(&self.role)?,
            status,
            ban: ban.map(|until| Ban {
                until: Some(until).filter(|until| *until < FOR_GOOD),
                reason: self.ban_reason,
            }),
            email: self.email,
            full_name: self.full_name,
            company_name: self.company_name,
            country: self.country,
            plan: self.plan_name,
            subscription_status: self.subscription_status,
            created_at: self.created_at,
            last_sign_in_at: self.last_sign_in_at,
        })
    }
}

/// What decides whether somebody may act, and whether one may act on them.
#[derive(Queryable)]
pub(crate) struct StandingRow {
    pub email: String,
    pub role: String,
    pub banned_until: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl StandingRow {
    pub(crate) fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.deleted_at.is_none() && self.banned_until.is_none_or(|until| until <= now)
    }
}

fn filtered(filter: &PeopleFilter, now: DateTime<Utc>) -> admin_users::BoxedQuery<'_, Pg> {
    let mut query = admin_users::table.into_boxed();
    if let Some(text) = &filter.text {
        let text = text.trim().to_lowercase();
        let in_name = strpos(lower(admin_users::full_name), text.clone()).gt(0);
        query = query.filter(strpos(admin_users::email, text).gt(0).or(in_name));
    }
    if let Some(role) = filter.role {
        query = query.filter(admin_users::role.eq(role.as_str()));
    }
    let deleted = admin_users::deleted_at.is_not_null();
    let free = admin_users::banned_until
        .is_null()
        .or(admin_users::banned_until.assume_not_null().le(now));
    let banned = admin_users::banned_until.assume_not_null().gt(now);
    let confirmed = admin_users::email_confirmed_at.is_not_null();
    let query = match filter.status {
        Some(AccountStatus::Deleted) => return query.filter(deleted),
        Some(AccountStatus::Banned) => query.filter(banned),
        Some(AccountStatus::Unconfirmed) => query
            .filter(free)
            .filter(admin_users::email_confirmed_at.is_null()),
        Some(AccountStatus::Active) => query.filter(free).filter(confirmed),
        None => query,
    };
    query.filter(admin_users::deleted_at.is_null())
}

pub(crate) async fn count(
    tx: &mut Tx,
    filter: &PeopleFilter,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    filtered(filter, now).count().get_result(tx).await
}

/// As many as `part` wants and one more, the newest first.
pub(crate) async fn list(
    tx: &mut Tx,
    filter: &PeopleFilter,
    now: DateTime<Utc>,
    part: Part,
) -> QueryResult<Vec<PersonRow>> {
    let newest_first = (admin_users::created_at.desc(), admin_users::id.desc());
    let query = filtered(filter, now)
        .order(newest_first)
        .select(PersonRow::as_select());
    let query = match part {
        Part::Numbered { page, limit } => query
            .offset(page.saturating_sub(1).saturating_mul(limit))
            .limit(limit.saturating_add(1)),
        Part::After(page) => {
            let query = query.limit(page.limit.saturating_add(1));
            match page.after {
                // The first condition alone lets the index start at the cursor.
                Some(after) => query
                    .filter(admin_users::created_at.le(after.created_at))
                    .filter(
                        admin_users::created_at
                            .lt(after.created_at)
                            .or(admin_users::id.lt(after.id)),
                    ),
                None => query,
            }
        }
    };
    query.load(tx).await
}

pub(crate) async fn find(tx: &mut Tx, user: UserId) -> QueryResult<Option<PersonRow>> {
    admin_users::table
        .find(user.0)
        .select(PersonRow::as_select())
        .first(tx)
        .await
        .optional()
}

/// Lets acts on roles and bans wait for each other until their transactions end.
pub(crate) async fn one_at_a_time(tx: &mut Tx) -> QueryResult<usize> {
    diesel::sql_query(
        "SELECT pg_advisory_xact_lock(hashtextextended('public.user_profiles.super_admin', 0))",
    )
    .execute(tx)
    .await
}

pub(crate) async fn standing(tx: &mut Tx, user: UserId) -> QueryResult<Option<StandingRow>> {
    users::table
        .inner_join(user_profiles::table)
        .filter(users::id.eq(user.0))
        .select((
            users::email,
            user_profiles::role,
            users::banned_until,
            users::deleted_at,
        ))
        .first(tx)
        .await
        .optional()
}

pub(crate) async fn is_there_another_super_admin(tx: &mut Tx, user: UserId) -> QueryResult<bool> {
    let others = user_profiles::table
        .filter(user_profiles::role.eq(UserRole::SuperAdmin.as_str()))
        .filter(user_profiles::id.ne(user.0));
    diesel::select(exists(others)).get_result(tx).await
}

/// Bans until a moment, or lifts the ban.
pub(crate) async fn set_ban(
    tx: &mut Tx,
    user: UserId,
    until: Option<DateTime<Utc>>,
    reason: Option<&str>,
) -> QueryResult<usize> {
    diesel::update(users::table.find(user.0))
        .set((users::banned_until.eq(until), users::ban_reason.eq(reason)))
        .execute(tx)
        .await
}

/// How many sessions of somebody live.
pub(crate) async fn count_sessions(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now))
        .count()
        .get_result(tx)
        .await
}
