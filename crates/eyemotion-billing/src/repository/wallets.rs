use crate::schema::credit_wallets;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};

/// Makes an empty wallet if there is none.
pub(crate) async fn ensure(tx: &mut Tx, user: UserId) -> Result<(), DbError> {
    diesel::insert_into(credit_wallets::table)
        .values(credit_wallets::user_id.eq(user.0))
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    Ok(())
}

/// What the lots do not say of a locked wallet.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = credit_wallets, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Wallet {
    pub debt: i64,
}

/// Locks a wallet until `tx` ends: from here on nobody else changes this person's credits. None
/// if there is none.
pub(crate) async fn lock(tx: &mut Tx, user: UserId) -> Result<Option<Wallet>, DbError> {
    Ok(credit_wallets::table
        .find(user.0)
        .select(Wallet::as_select())
        .for_no_key_update()
        .first(tx)
        .await
        .optional()?)
}

/// Notes that so much more, or less, of a locked wallet is frozen.
pub(crate) async fn freeze(tx: &mut Tx, user: UserId, credits: i64) -> Result<(), DbError> {
    diesel::update(credit_wallets::table.find(user.0))
        .set(credit_wallets::frozen.eq(credit_wallets::frozen + credits))
        .execute(tx)
        .await?;
    Ok(())
}
