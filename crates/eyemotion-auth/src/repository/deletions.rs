//! `auth.account_deletions`.

use crate::privacy::ScheduledDeletion;
use crate::schema::{account_deletions as deletions, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use eyemotion_core::{UserId, UserRole};
use eyemotion_db::Tx;
use eyemotion_ports::Leaver;
use uuid::Uuid;

const SCHEDULED: &str = "scheduled";
const ERASING: &str = "erasing";
const ERASED: &str = "erased";

#[derive(Insertable)]
#[diesel(table_name = deletions)]
pub(crate) struct NewDeletionRow<'a> {
    pub id: Uuid,
    pub user_id: Uuid,
    pub id_hash: &'a [u8],
    pub undo_hash: &'a [u8],
    pub requested_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewDeletionRow<'_>) -> QueryResult<usize> {
    diesel::insert_into(deletions::table)
        .values(row)
        .execute(tx)
        .await
}

/// The person's deletion, if it can still be undone.
pub(crate) async fn scheduled(tx: &mut Tx, user: UserId) -> QueryResult<Option<ScheduledDeletion>> {
    let found = deletions::table
        .filter(deletions::user_id.eq(user.0))
        .filter(deletions::state.eq(SCHEDULED))
        .select((deletions::requested_at, deletions::due_at))
        .first(tx)
        .await
        .optional()?;
    Ok(found.map(|(requested_at, due_at)| ScheduledDeletion {
        requested_at,
        due_at,
    }))
}

/// Whether nobody who could give roles would be left. Held until `tx` ends: of two who leave at
/// once, the second sees the first. The lock is that of the trigger that guards this too.
pub(crate) async fn is_last_super_admin(tx: &mut Tx, user: UserId) -> QueryResult<bool> {
    let key =
        "select pg_advisory_xact_lock(hashtextextended('public.user_profiles.super_admin', 0))";
    diesel::sql_query(key).execute(tx).await?;
    let role = UserRole::SuperAdmin.as_str();
    let is_one = user_profiles::table
        .find(user.0)
        .filter(user_profiles::role.eq(role));
    if !diesel::select(exists(is_one)).get_result(tx).await? {
        return Ok(false);
    }
    let now = diesel::dsl::now;
    let leaving = deletions::table.filter(deletions::user_id.eq(users::id.nullable()));
    let others = users::table
        .inner_join(user_profiles::table)
        .filter(users::id.ne(user.0))
        .filter(user_profiles::role.eq(role))
        .filter(users::deleted_at.is_null())
        .filter(
            users::banned_until
                .is_null()
                .or(users::banned_until.le(now).assume_not_null()),
        )
        .filter(diesel::dsl::not(exists(leaving)));
    let left: bool = diesel::select(exists(others)).get_result(tx).await?;
    Ok(!left)
}

/// Whether there was one to undo.
pub(crate) async fn undo(tx: &mut Tx, user: UserId) -> QueryResult<bool> {
    let scheduled = deletions::table
        .filter(deletions::user_id.eq(user.0))
        .filter(deletions::state.eq(SCHEDULED));
    Ok(diesel::delete(scheduled).execute(tx).await? == 1)
}

/// Undoes the one that a mailed token names; whose.
pub(crate) async fn undo_by_hash(tx: &mut Tx, hash: &[u8]) -> QueryResult<Option<UserId>> {
    let scheduled = deletions::table
        .filter(deletions::undo_hash.eq(hash))
        .filter(deletions::state.eq(SCHEDULED));
    let user: Option<Option<Uuid>> = diesel::delete(scheduled)
        .returning(deletions::user_id)
        .get_result(tx)
        .await
        .optional()?;
    Ok(user.flatten().map(UserId))
}

/// Those whose time has come.
pub(crate) async fn due(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Uuid>> {
    deletions::table
        .filter(deletions::state.eq(SCHEDULED))
        .filter(deletions::due_at.le(now))
        .order(deletions::due_at)
        .limit(limit)
        .select(deletions::id)
        .load(tx)
        .await
}

/// Those that have begun before `moment`.
pub(crate) async fn begun(
    tx: &mut Tx,
    moment: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<Uuid>> {
    deletions::table
        .filter(deletions::state.eq(ERASING))
        .filter(deletions::started_at.le(moment).assume_not_null())
        .order(deletions::due_at)
        .limit(limit)
        .select(deletions::id)
        .load(tx)
        .await
}

/// From here on it cannot be undone. Whose it is; none if it was undone just now.
pub(crate) async fn begin(
    tx: &mut Tx,
    id: Uuid,
    pseudonym: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<Option<UserId>> {
    let due = deletions::table
        .find(id)
        .filter(deletions::state.eq(SCHEDULED))
        .filter(deletions::due_at.le(now));
    let user: Option<Option<Uuid>> = diesel::update(due)
        .set((
            deletions::state.eq(ERASING),
            deletions::pseudonym.eq(pseudonym),
            deletions::undo_hash.eq(None::<Vec<u8>>),
            deletions::started_at.eq(now),
        ))
        .returning(deletions::user_id)
        .get_result(tx)
        .await
        .optional()?;
    Ok(user.flatten().map(UserId))
}

pub(crate) async fn set_language(
    tx: &mut Tx,
    id: Uuid,
    language: Option<&str>,
) -> QueryResult<usize> {
    diesel::update(deletions::table.find(id))
        .set(deletions::language.eq(language))
        .execute(tx)
        .await
}

/// Who is leaving, and the language that the person reads; locked, so that nobody else goes on
/// with it meanwhile. None: it is done.
pub(crate) async fn lock(tx: &mut Tx, id: Uuid) -> QueryResult<Option<(Leaver, Option<String>)>> {
    let found: Option<(Option<Uuid>, Option<Uuid>, Option<String>)> = deletions::table
        .find(id)
        .filter(deletions::state.eq(ERASING))
        .select((
            deletions::user_id,
            deletions::pseudonym,
            deletions::language,
        ))
        .for_update()
        .first(tx)
        .await
        .optional()?;
    let Some((Some(user), Some(pseudonym), language)) = found else {
        return Ok(None);
    };
    let email = users::table
        .find(user)
        .select(users::email)
        .first(tx)
        .await?;
    let leaver = Leaver {
        id: UserId(user),
        email,
        pseudonym: UserId(pseudonym),
    };
    Ok(Some((leaver, language)))
}

pub(crate) async fn set_step(tx: &mut Tx, id: Uuid, step: &str) -> QueryResult<usize> {
    diesel::update(deletions::table.find(id))
        .set(deletions::step.eq(step))
        .execute(tx)
        .await
}

/// Leaves of it a tombstone.
pub(crate) async fn finish(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(deletions::table.find(id))
        .set((
            deletions::state.eq(ERASED),
            deletions::user_id.eq(None::<Uuid>),
            deletions::pseudonym.eq(None::<Uuid>),
            deletions::step.eq(None::<String>),
            deletions::language.eq(None::<String>),
            deletions::erased_at.eq(now),
        ))
        .execute(tx)
        .await
}

/// Schedules, for at once, the deletion of people who have a tombstone and are there nevertheless.
/// How many.
pub(crate) async fn bury_again(tx: &mut Tx) -> QueryResult<usize> {
    let risen = "update auth.account_deletions d
        set state = 'scheduled', user_id = u.id, due_at = now(), started_at = null, erased_at = null
        from auth.users u where d.state = 'erased' and d.id_hash = sha256(uuid_send(u.id))";
    diesel::sql_query(risen).execute(tx).await
}

/// Nobody can sign in as the person any more.
pub(crate) async fn close_account(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(users::table.find(user.0))
        .set(users::deleted_at.eq(now))
        .execute(tx)
        .await
}

/// Gives the account its pseudonym, and with it everything that still refers to it.
pub(crate) async fn rename_account(tx: &mut Tx, leaver: &Leaver) -> QueryResult<usize> {
    diesel::sql_query(
        "update auth.users set id = $2, email = $2::text || '@deleted.invalid', \
         password_hash = null, email_confirmed_at = null, banned_until = null, ban_reason = null, \
         last_sign_in_at = null where id = $1",
    )
    .bind::<SqlUuid, _>(leaver.id.0)
    .bind::<SqlUuid, _>(leaver.pseudonym.0)
    .execute(tx)
    .await
}
