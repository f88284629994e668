use crate::ledger::Posting;
use crate::schema::credit_txns;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = credit_txns, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TxnRow {
    pub request_hash: Vec<u8>,
    pub details: Value,
}

/// A person's transaction under this key.
pub(crate) async fn find(tx: &mut Tx, user: UserId, key: &str) -> Result<Option<TxnRow>, DbError> {
    Ok(credit_txns::table
        .filter(credit_txns::user_id.eq(user.0))
        .filter(credit_txns::idem_key.eq(key))
        .select(TxnRow::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// Transaction, entries, moves, lots and wallet in one statement: the wallet is locked meanwhile,
/// and a round trip for each would hold it four times as long.
const POST: &str = "
with txn as (
    insert into credit_txns (id, user_id, kind, idem_key, request_hash, reason, actor, ref_type, ref_id, details,
        created_at, subscription_id)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, (
        select id from subscriptions
        where user_id = $2 and status in ('active', 'trialing', 'past_due'))
), entries as (
    insert into credit_entries (txn_id, seq, user_id, account, amount)
    select $1, seq, $2, account, amount
    from unnest($12, $13) with ordinality as entry (account, amount, seq)
), moves as (
    insert into credit_lot_moves (txn_id, lot_id, user_id, amount)
    select $1, lot_id, $2, amount from unnest($14, $15) as move (lot_id, amount)
), lots as (
    update credit_lots set remaining = remaining + move.amount
    from unnest($14, $15) as move (lot_id, amount)
    where id = move.lot_id and user_id = $2
)
update credit_wallets set posted = posted + $16 where user_id = $2";

/// Writes a transaction down and moves the credits. The wallet is locked.
pub(crate) async fn post(tx: &mut Tx, posting: &Posting) -> Result<(), DbError> {
    let (accounts, amounts): (Vec<String>, Vec<i64>) = posting.entries().into_iter().unzip();
    let (lots, moved): (Vec<Uuid>, Vec<i64>) = posting
        .moves
        .iter()
        .map(|each| (each.lot, each.amount))
        .unzip();
    let (ref_type, ref_id) = posting
        .reference
        .as_ref()
        .map(|(kind, id)| (kind, id))
        .unzip();
    let changed = diesel::sql_query(POST)
        .bind::<SqlUuid, _>(posting.id)
        .bind::<SqlUuid, _>(posting.user.0)
        .bind::<Text, _>(posting.kind.as_str())
        .bind::<Text, _>(&posting.key)
        .bind::<Binary, _>(posting.request_hash.as_slice())
        .bind::<Text, _>(&posting.reason)
        .bind::<Text, _>(&posting.actor)
        .bind::<Nullable<Text>, _>(ref_type)
        .bind::<Nullable<Text>, _>(ref_id)
        .bind::<Jsonb, _>(&posting.details)
        .bind::<Timestamptz, _>(posting.at)
        .bind::<Array<Text>, _>(accounts)
        .bind::<Array<BigInt>, _>(amounts)
        .bind::<Array<SqlUuid>, _>(lots)
        .bind::<Array<BigInt>, _>(moved)
        .bind::<BigInt, _>(posting.change())
        .execute(tx)
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(DbError::NotFound)
    }
}
