use crate::model::Profile;
use crate::schema::user_profiles;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{UserId, UserRole};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = user_profiles)]
pub(crate) struct NewProfileRow<'a> {
    pub id: Uuid,
    pub full_name: &'a str,
    pub company_name: Option<&'a str>,
    pub industry: &'a str,
    pub country: &'a str,
    pub phone: Option<&'a str>,
    pub role: &'a str,
    pub last_login_at: Option<DateTime<Utc>>,
}

/// What of a profile is to change; none: stays.
#[expect(
    clippy::option_option,
    reason = "Diesel's form of a column that may be set to null"
)]
#[derive(AsChangeset, Default)]
#[diesel(table_name = user_profiles)]
pub(crate) struct ProfileChanges {
    pub full_name: Option<String>,
    pub company_name: Option<Option<String>>,
    pub industry: Option<String>,
    pub country: Option<String>,
    pub phone: Option<Option<String>>,
    pub avatar_url: Option<Option<String>>,
    pub preferences: Option<Value>,
    pub onboarding_completed: Option<bool>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = user_profiles)]
pub(crate) struct ProfileRow {
    pub id: Uuid,
    pub full_name: String,
    pub company_name: Option<String>,
    pub industry: String,
    pub country: String,
    pub phone: Option<String>,
    pub avatar_url: Option<String>,
    pub role: String,
    pub preferences: Value,
    pub onboarding_completed: bool,
    pub email_verified: bool,
    pub last_login_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ProfileRow {
    pub(crate) fn into_profile(self) -> Result<Profile, DbError> {
        Ok(Profile {
            id: UserId(self.id),
            role: parse_role(&self.role)?,
            full_name: self.full_name,
            company_name: self.company_name,
            industry: self.industry,
            country: self.country,
            phone: self.phone,
            avatar_url: self.avatar_url,
            preferences: self.preferences,
            onboarding_completed: self.onboarding_completed,
            email_verified: self.email_verified,
            last_login_at: self.last_login_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// The role that a row names; the table's check knows the same names.
pub(crate) fn parse_role(role: &str) -> Result<UserRole, DbError> {
    role.parse::<UserRole>()
        .map_err(|error| DbError::Other(error.into()))
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewProfileRow<'_>) -> QueryResult<usize> {
    diesel::insert_into(user_profiles::table)
        .values(row)
        .execute(tx)
        .await
}

/// The profile, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, user: UserId) -> QueryResult<Option<ProfileRow>> {
    user_profiles::table
        .find(user.0)
        .select(ProfileRow::as_select())
        .for_update()
        .first(tx)
        .await
        .optional()
}

/// Writes `changes`, of which there must be one at least.
pub(crate) async fn update(
    tx: &mut Tx,
    user: UserId,
    changes: &ProfileChanges,
) -> QueryResult<ProfileRow> {
    diesel::update(user_profiles::table.find(user.0))
        .set(changes)
        .returning(ProfileRow::as_returning())
        .get_result(tx)
        .await
}

/// How many got the role: 0 if nobody has the address.
pub(crate) async fn set_role(tx: &mut Tx, user: UserId, role: UserRole) -> QueryResult<usize> {
    diesel::update(user_profiles::table.find(user.0))
        .set(user_profiles::role.eq(role.as_str()))
        .execute(tx)
        .await
}

/// Whether the person has proved the address.
pub(crate) async fn is_verified(tx: &mut Tx, user: UserId) -> QueryResult<bool> {
    user_profiles::table
        .find(user.0)
        .select(user_profiles::email_verified)
        .first(tx)
        .await
}

/// Notes that the person has proved the address; 0 if that was known.
pub(crate) async fn verify_email(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    let unproved = user_profiles::table
        .find(user.0)
        .filter(user_profiles::email_verified.eq(false));
    diesel::update(unproved)
        .set(user_profiles::email_verified.eq(true))
        .execute(tx)
        .await
}

pub(crate) async fn rename(tx: &mut Tx, user: UserId, full_name: &str) -> QueryResult<usize> {
    diesel::update(user_profiles::table.find(user.0))
        .set(user_profiles::full_name.eq(full_name))
        .execute(tx)
        .await
}

/// The language that the person wants to read.
pub(crate) async fn language(tx: &mut Tx, user: UserId) -> QueryResult<Option<String>> {
    let preferences: Option<Value> = user_profiles::table
        .find(user.0)
        .select(user_profiles::preferences)
        .first(tx)
        .await
        .optional()?;
    let language = preferences.as_ref().and_then(|all| all.get("language"));
    let language = language
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    Ok(language.map(|text| text.chars().take(16).collect()))
}
