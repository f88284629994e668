use crate::error::AuthError;
use crate::schema::{user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = users)]
pub(crate) struct NewUserRow<'a> {
    pub id: Uuid,
    pub email: &'a str,
    pub password_hash: Option<&'a str>,
    pub email_confirmed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// What decides whether somebody may sign in.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct CredentialRow {
    pub id: Uuid,
    pub password_hash: Option<String>,
    pub email_confirmed_at: Option<DateTime<Utc>>,
    pub banned_until: Option<DateTime<Utc>>,
}

/// What an access token says of a person.
#[derive(Queryable)]
pub(crate) struct StandingRow {
    pub email: String,
    pub role: String,
    pub banned_until: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewUserRow<'_>) -> Result<(), AuthError> {
    let inserted = diesel::insert_into(users::table)
        .values(row)
        .execute(tx)
        .await;
    match inserted.map_err(DbError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.constraint() == Some("users_email_key") => Err(AuthError::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// The person with this normalised address, unless deleted.
pub(crate) async fn credential(tx: &mut Tx, email: &str) -> QueryResult<Option<CredentialRow>> {
    users::table
        .filter(users::email.eq(email))
        .filter(users::deleted_at.is_null())
        .select(CredentialRow::as_select())
        .first(tx)
        .await
        .optional()
}

pub(crate) async fn standing(tx: &mut Tx, user: UserId) -> QueryResult<StandingRow> {
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
}

/// The person's password hash; none without a password, and of deleted people.
pub(crate) async fn password_hash(tx: &mut Tx, user: UserId) -> QueryResult<Option<String>> {
    users::table
        .find(user.0)
        .filter(users::deleted_at.is_null())
        .select(users::password_hash)
        .first::<Option<String>>(tx)
        .await
        .optional()
        .map(Option::flatten)
}

/// Somebody as far as password and address need them.
#[derive(Queryable)]
pub(crate) struct PersonRow {
    pub email: String,
    pub password_hash: Option<String>,
    pub full_name: String,
    pub company_name: Option<String>,
}

/// The person, unless deleted.
pub(crate) async fn person(tx: &mut Tx, user: UserId) -> QueryResult<Option<PersonRow>> {
    users::table
        .inner_join(user_profiles::table)
        .filter(users::id.eq(user.0))
        .filter(users::deleted_at.is_null())
        .select((
            users::email,
            users::password_hash,
            user_profiles::full_name,
            user_profiles::company_name,
        ))
        .first(tx)
        .await
        .optional()
}

/// Lets the person sign in, if nothing has yet.
pub(crate) async fn confirm_email(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let unconfirmed = users::table
        .find(user.0)
        .filter(users::email_confirmed_at.is_null());
    diesel::update(unconfirmed)
        .set(users::email_confirmed_at.eq(now))
        .execute(tx)
        .await
}

/// Gives an account that nobody has confirmed another password.
pub(crate) async fn claim(
    tx: &mut Tx,
    user: UserId,
    password_hash: Option<&str>,
) -> QueryResult<usize> {
    let unconfirmed = users::table
        .find(user.0)
        .filter(users::email_confirmed_at.is_null());
    diesel::update(unconfirmed)
        .set(users::password_hash.eq(password_hash))
        .execute(tx)
        .await
}

pub(crate) async fn set_password(
    tx: &mut Tx,
    user: UserId,
    password_hash: &str,
) -> QueryResult<usize> {
    diesel::update(users::table.find(user.0))
        .set(users::password_hash.eq(password_hash))
        .execute(tx)
        .await
}

/// Replaces a hash by another one of the same password, unless the password has been changed.
pub(crate) async fn renew_hash(
    tx: &mut Tx,
    user: UserId,
    stored: &str,
    renewed: &str,
) -> QueryResult<usize> {
    let unchanged = users::table
        .find(user.0)
        .filter(users::password_hash.eq(stored));
    diesel::update(unchanged)
        .set(users::password_hash.eq(renewed))
        .execute(tx)
        .await
}

/// Gives the person a proved address, normalised.
pub(crate) async fn set_email(
    tx: &mut Tx,
    user: UserId,
    email: &str,
    now: DateTime<Utc>,
) -> Result<(), AuthError> {
    let written = diesel::update(users::table.find(user.0))
        .set((users::email.eq(email), users::email_confirmed_at.eq(now)))
        .execute(tx)
        .await;
    match written.map_err(DbError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.constraint() == Some("users_email_key") => Err(AuthError::EmailTaken),
        Err(error) => Err(error.into()),
    }
}
