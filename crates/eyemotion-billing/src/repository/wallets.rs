use crate::ledger::Lot;
use crate::repository::lots::{LotRow, OPEN};
use crate::repository::txns::TxnRow;
use crate::schema::{credit_lots, credit_txns, credit_wallets};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};

/// Makes an empty wallet if there is none.
pub(crate) fn ensure(tx: &mut Tx, user: UserId) {
    tx.defer(
        diesel::insert_into(credit_wallets::table)
            .values(credit_wallets::user_id.eq(user.0))
            .on_conflict_do_nothing(),
    );
}

/// Locks a wallet until `tx` ends: from here on nobody else changes this person's credits. It rides
/// with the next query, which comes after it and sees whatever the lock had to wait for.
pub(crate) fn lock(tx: &mut Tx, user: UserId) {
    tx.defer(
        credit_wallets::table
            .find(user.0)
            .select(credit_wallets::user_id)
            .for_no_key_update(),
    );
}

/// A locked wallet.
#[derive(Debug)]
pub(crate) struct Wallet {
    /// What is owed.
    pub debt: i64,
    /// The transaction under the key, if there is one.
    pub stored: Option<TxnRow>,
    /// Open lots: those with something in them, and those that end some day.
    pub lots: Vec<Lot>,
}

/// Locks a wallet and reads it, in one round trip and two statements: one alone would read what
/// there was before the lock. None if there is no wallet.
pub(crate) async fn open(tx: &mut Tx, user: UserId, key: &str) -> Result<Option<Wallet>, DbError> {
    lock(tx, user);
    let repeated = credit_txns::user_id
        .eq(credit_wallets::user_id)
        .and(credit_txns::idem_key.eq(key.to_owned()));
    let payable = credit_lots::user_id
        .eq(credit_wallets::user_id)
        .and(credit_lots::status.eq(OPEN))
        .and(
            credit_lots::remaining
                .gt(0)
                .or(credit_lots::expires_at.is_not_null()),
        );
    let rows: Vec<(i64, Option<TxnRow>, Option<LotRow>)> = credit_wallets::table
        .left_join(credit_txns::table.on(repeated))
        .left_join(credit_lots::table.on(payable))
        .filter(credit_wallets::user_id.eq(user.0))
        .select((
            credit_wallets::debt,
            Option::<TxnRow>::as_select(),
            Option::<LotRow>::as_select(),
        ))
        .load(tx)
        .await?;
    let mut wallet: Option<Wallet> = None;
    for (debt, stored, lot) in rows {
        let known = wallet.get_or_insert(Wallet {
            debt,
            stored,
            lots: Vec::new(),
        });
        if let Some(lot) = lot {
            known.lots.push(lot.try_into()?);
        }
    }
    Ok(wallet)
}

/// What is owed by a person whose wallet is locked; none without a wallet.
pub(crate) async fn lock_debt(tx: &mut Tx, user: UserId) -> Result<Option<i64>, DbError> {
    lock(tx, user);
    Ok(credit_wallets::table
        .find(user.0)
        .select(credit_wallets::debt)
        .first(tx)
        .await
        .optional()?)
}

/// Notes that so much more, or less, of a locked wallet is frozen.
pub(crate) fn freeze(tx: &mut Tx, user: UserId, credits: i64) {
    tx.defer(
        diesel::update(credit_wallets::table.find(user.0))
            .set(credit_wallets::frozen.eq(credit_wallets::frozen + credits)),
    );
}
