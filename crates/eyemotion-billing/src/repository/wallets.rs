use crate::schema::credit_wallets;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// Makes an empty wallet if there is none.
pub(crate) async fn ensure(tx: &mut Tx, user: UserId) -> Result<(), DbError> {
    diesel::insert_into(credit_wallets::table)
        .values(credit_wallets::user_id.eq(user.0))
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    Ok(())
}

/// Locks a wallet until `tx` ends: from here on nobody else changes this person's credits. False
/// if there is none.
pub(crate) async fn lock(tx: &mut Tx, user: UserId) -> Result<bool, DbError> {
    let found = credit_wallets::table
        .find(user.0)
        .select(credit_wallets::user_id)
        .for_no_key_update()
        .first::<Uuid>(tx)
        .await
        .optional()?;
    Ok(found.is_some())
}
