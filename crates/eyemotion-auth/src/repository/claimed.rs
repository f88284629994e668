//! What an account loses, and is given, with the address's owner: columns of several tables.

use crate::schema::{api_keys, factors, user_profiles, users};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::Tx;

/// Takes password, second factors and API keys away.
pub(crate) async fn forget_credentials(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(users::table.find(user.0))
        .set(users::password_hash.eq(None::<String>))
        .execute(tx)
        .await?;
    diesel::delete(factors::table.filter(factors::user_id.eq(user.0)))
        .execute(tx)
        .await?;
    let keys = api_keys::table
        .filter(api_keys::user_id.eq(user.0))
        .filter(api_keys::revoked_at.is_null());
    diesel::update(keys)
        .set(api_keys::revoked_at.eq(now))
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that the person has proved to own the address.
pub(crate) async fn prove_email(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(users::table.find(user.0))
        .set(users::email_confirmed_at.eq(now))
        .execute(tx)
        .await?;
    diesel::update(user_profiles::table.find(user.0))
        .set(user_profiles::email_verified.eq(true))
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives a new profile its picture.
pub(crate) async fn set_avatar(tx: &mut Tx, user: UserId, url: &str) -> QueryResult<usize> {
    diesel::update(user_profiles::table.find(user.0))
        .set(user_profiles::avatar_url.eq(url))
        .execute(tx)
        .await
}
