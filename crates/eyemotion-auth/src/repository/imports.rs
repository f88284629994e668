use crate::schema::{account_deletions, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::Tx;
use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

/// What a new person's profile does not have yet.
#[derive(AsChangeset)]
#[diesel(table_name = user_profiles)]
pub(crate) struct RestOfProfile<'a> {
    pub avatar_url: Option<&'a str>,
    pub preferences: &'a Value,
    pub onboarding_completed: bool,
    pub email_verified: bool,
    pub created_at: DateTime<Utc>,
}

/// Which of these people are here.
pub(crate) async fn present(tx: &mut Tx, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    let found: Vec<Uuid> = users::table
        .filter(users::id.eq_any(ids))
        .select(users::id)
        .load(tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// Whether somebody with this hash of an id was here and left.
pub(crate) async fn has_left(tx: &mut Tx, id_hash: &[u8]) -> QueryResult<bool> {
    let tombstone = account_deletions::table.filter(account_deletions::id_hash.eq(id_hash));
    diesel::select(diesel::dsl::exists(tombstone))
        .get_result(tx)
        .await
}

/// Adds to a new account what others do not have from the start.
pub(crate) async fn complete(
    tx: &mut Tx,
    user: UserId,
    banned_until: Option<DateTime<Utc>>,
    rest: &RestOfProfile<'_>,
) -> QueryResult<()> {
    diesel::update(users::table.find(user.0))
        .set(users::banned_until.eq(banned_until))
        .execute(tx)
        .await?;
    diesel::update(user_profiles::table.find(user.0))
        .set(rest)
        .execute(tx)
        .await?;
    Ok(())
}
