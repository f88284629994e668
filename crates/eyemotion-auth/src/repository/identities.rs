use crate::schema::{identities, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::Tx;
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = identities)]
pub(crate) struct NewIdentityRow<'a> {
    pub id: Uuid,
    pub user_id: Uuid,
    pub provider: &'a str,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub email: Option<&'a str>,
    pub email_verified: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// What of an identity its owner may see.
#[derive(Queryable, Selectable)]
#[diesel(table_name = identities)]
pub(crate) struct IdentityRow {
    pub id: Uuid,
    pub provider: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// What of an identity decides whether it may be taken away, and what is told then.
#[derive(Queryable, Selectable)]
#[diesel(table_name = identities)]
pub(crate) struct OwnedRow {
    pub id: Uuid,
    pub provider: String,
    pub issuer: String,
    pub email: Option<String>,
}

/// An account that an identity may lead to.
#[derive(Queryable)]
pub(crate) struct CandidateRow {
    pub id: Uuid,
    pub email: String,
    pub role: String,
    pub banned_until: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub email_verified: bool,
}

type Columns = (
    users::id,
    users::email,
    user_profiles::role,
    users::banned_until,
    users::deleted_at,
    user_profiles::email_verified,
);
const COLUMNS: Columns = (
    users::id,
    users::email,
    user_profiles::role,
    users::banned_until,
    users::deleted_at,
    user_profiles::email_verified,
);

pub(crate) async fn insert(tx: &mut Tx, row: &NewIdentityRow<'_>) -> QueryResult<usize> {
    diesel::insert_into(identities::table)
        .values(row)
        .execute(tx)
        .await
}

/// Whose the identity is.
pub(crate) async fn holder(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
) -> QueryResult<Option<UserId>> {
    identities::table
        .filter(identities::issuer.eq(issuer))
        .filter(identities::subject.eq(subject))
        .select(identities::user_id)
        .first(tx)
        .await
        .optional()
        .map(|user| user.map(UserId))
}

/// The account, locked until the transaction ends.
pub(crate) async fn candidate(tx: &mut Tx, user: UserId) -> QueryResult<Option<CandidateRow>> {
    users::table
        .inner_join(user_profiles::table)
        .filter(users::id.eq(user.0))
        .select(COLUMNS)
        .for_update()
        .first(tx)
        .await
        .optional()
}

/// The account with this normalised address, also if deleted; locked until the transaction ends.
pub(crate) async fn namesake(tx: &mut Tx, email: &str) -> QueryResult<Option<CandidateRow>> {
    users::table
        .inner_join(user_profiles::table)
        .filter(users::email.eq(email))
        .select(COLUMNS)
        .for_update()
        .first(tx)
        .await
        .optional()
}

/// Notes that somebody has signed in with it, and what the provider says now.
pub(crate) async fn touch(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
    email: Option<&str>,
    email_verified: bool,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let identity = identities::table
        .filter(identities::issuer.eq(issuer))
        .filter(identities::subject.eq(subject));
    diesel::update(identity)
        .set((
            identities::email.eq(email),
            identities::email_verified.eq(email_verified),
            identities::last_sign_in_at.eq(now),
        ))
        .execute(tx)
        .await
}

/// The person's, oldest first.
pub(crate) async fn list(tx: &mut Tx, user: UserId) -> QueryResult<Vec<IdentityRow>> {
    identities::table
        .filter(identities::user_id.eq(user.0))
        .order((identities::created_at, identities::id))
        .select(IdentityRow::as_select())
        .load(tx)
        .await
}

/// The same for the platform, with their issuers.
pub(crate) async fn owned(tx: &mut Tx, user: UserId) -> QueryResult<Vec<OwnedRow>> {
    identities::table
        .filter(identities::user_id.eq(user.0))
        .select(OwnedRow::as_select())
        .load(tx)
        .await
}

pub(crate) async fn delete(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    diesel::delete(identities::table.find(id)).execute(tx).await
}

/// Takes all identities off the account.
pub(crate) async fn delete_all(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(identities::table.filter(identities::user_id.eq(user.0)))
        .execute(tx)
        .await
}
