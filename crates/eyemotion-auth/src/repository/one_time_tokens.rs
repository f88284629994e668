use crate::schema::{one_time_tokens, users};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::Tx;
use serde_json::Value;
use uuid::Uuid;

/// How often a code may be guessed.
const ATTEMPTS: i32 = 5;

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = one_time_tokens)]
pub(crate) struct NewTokenRow<'a> {
    pub id: Uuid,
    pub user_id: Uuid,
    pub purpose: &'a str,
    pub token_hash: &'a [u8],
    pub code_hash: &'a [u8],
    pub attempts: i32,
    pub expires_at: DateTime<Utc>,
    pub code_expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub payload: &'a Value,
}

/// A token whose code is being guessed.
#[derive(Queryable, Selectable)]
#[diesel(table_name = one_time_tokens)]
pub(crate) struct GuessedRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub token_hash: Vec<u8>,
    pub code_hash: Vec<u8>,
    pub payload: Value,
}

/// Whose code is guessed.
#[derive(Clone, Copy)]
pub(crate) enum Holder<'a> {
    /// Whoever has this normalised address.
    Address(&'a str),
    Person(UserId),
}

/// Puts the token in the place of the person's former one for this purpose, unless that one is
/// younger than `cool_down`; whether it did.
pub(crate) async fn replace(
    tx: &mut Tx,
    row: &NewTokenRow<'_>,
    cool_down: TimeDelta,
) -> QueryResult<bool> {
    let upsert = diesel::insert_into(one_time_tokens::table)
        .values(row)
        .on_conflict((one_time_tokens::user_id, one_time_tokens::purpose))
        .do_update()
        .set(row);
    let old_enough = one_time_tokens::created_at.le(row.created_at - cool_down);
    let written = methods::FilterDsl::filter(upsert, old_enough)
        .execute(tx)
        .await?;
    Ok(written > 0)
}

/// Counts one guess, in one statement, so that guesses at once are counted each. None: there is no
/// code to be guessed, or no guess is left.
pub(crate) async fn claim_guess(
    tx: &mut Tx,
    holder: Holder<'_>,
    purpose: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<GuessedRow>> {
    let live = one_time_tokens::table
        .filter(one_time_tokens::purpose.eq(purpose))
        .filter(one_time_tokens::code_expires_at.gt(now))
        .filter(one_time_tokens::attempts.lt(ATTEMPTS));
    let counted = one_time_tokens::attempts.eq(one_time_tokens::attempts + 1);
    match holder {
        Holder::Address(email) => {
            let person = users::table
                .filter(users::email.eq(email))
                .filter(users::deleted_at.is_null())
                .select(users::id);
            diesel::update(live.filter(one_time_tokens::user_id.eq_any(person)))
                .set(counted)
                .returning(GuessedRow::as_returning())
                .get_result(tx)
                .await
        }
        Holder::Person(user) => {
            diesel::update(live.filter(one_time_tokens::user_id.eq(user.0)))
                .set(counted)
                .returning(GuessedRow::as_returning())
                .get_result(tx)
                .await
        }
    }
    .optional()
}

/// Takes the token that a link holds; of many at once, one gets it: whose it is, and its payload.
pub(crate) async fn take_link(
    tx: &mut Tx,
    token_hash: &[u8],
    purpose: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<(Uuid, Value)>> {
    let live = one_time_tokens::table
        .filter(one_time_tokens::token_hash.eq(token_hash))
        .filter(one_time_tokens::purpose.eq(purpose))
        .filter(one_time_tokens::expires_at.gt(now));
    diesel::delete(live)
        .returning((one_time_tokens::user_id, one_time_tokens::payload))
        .get_result(tx)
        .await
        .optional()
}

/// Takes a token whose code was guessed.
pub(crate) async fn take(tx: &mut Tx, id: Uuid) -> QueryResult<usize> {
    diesel::delete(one_time_tokens::table.find(id))
        .execute(tx)
        .await
}

/// Takes all that were mailed to the person: they went to an address, or under a password, that is
/// no longer the account's.
pub(crate) async fn take_all(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(one_time_tokens::table.filter(one_time_tokens::user_id.eq(user.0)))
        .execute(tx)
        .await
}
