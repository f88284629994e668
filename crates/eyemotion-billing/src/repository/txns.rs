use crate::ledger::Posting;
use crate::schema::{credit_entries, credit_txns};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = credit_txns, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TxnRow {
    pub request_hash: Vec<u8>,
    pub details: Value,
}

/// Transaction, entries, moves, lots and wallet in one statement: the wallet is locked meanwhile,
/// and a round trip for each would hold it four times as long.
const POST: &str = "
with txn as (
    insert into credit_txns (id, user_id, kind, idem_key, request_hash, reason, actor, ref_type, ref_id, details,
        created_at, price_id, quantity, subscription_id)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $17, $18, (
        select id from subscriptions
        where user_id = $2 and status in ('active', 'trialing', 'past_due'))
), entries as (
    insert into credit_entries (txn_id, seq, user_id, account, amount)
    select $1, seq, $2, account, amount
    from unnest($12, $13) with ordinality as entry (account, amount, seq)
), moves as (
    insert into credit_lot_moves (txn_id, lot_id, user_id, amount)
    select $1, lot_id, $2, amount from unnest($14, $15) as move (lot_id, amount) where amount <> 0
), lots as (
    update credit_lots set remaining = remaining + move.amount, held = credit_lots.held + move.held
    from unnest($14, $15, $16) as move (lot_id, amount, held)
    where id = move.lot_id and user_id = $2
)
update credit_wallets
set posted = posted + $19[1], held = held + $19[2], frozen = frozen + $19[3], debt = debt + $19[4]
where user_id = $2";

/// Writes a transaction down and moves the credits. The wallet is locked. It rides with the next
/// query or with COMMIT, so that the lock ends a round trip earlier.
pub(crate) fn post(tx: &mut Tx, posting: Posting) {
    let (accounts, amounts): (Vec<String>, Vec<i64>) = posting.entries().into_iter().unzip();
    let moves = &posting.moves;
    let lots: Vec<Uuid> = moves.iter().map(|each| each.lot).collect();
    let amounts_moved: Vec<i64> = moves.iter().map(|each| each.amount).collect();
    let amounts_held: Vec<i64> = moves.iter().map(|each| each.held).collect();
    let sums = [
        posting.change(),
        posting.held(),
        posting.frozen(),
        posting.debt,
    ];
    let (ref_type, ref_id) = posting.reference.unzip();
    let (price, quantity) = posting
        .price
        .map(|price| (price.price, price.quantity))
        .unzip();
    tx.defer(
        diesel::sql_query(POST)
            .bind::<SqlUuid, _>(posting.id)
            .bind::<SqlUuid, _>(posting.user.0)
            .bind::<Text, _>(posting.kind.as_str())
            .bind::<Text, _>(posting.key)
            .bind::<Binary, _>(posting.request_hash.to_vec())
            .bind::<Text, _>(posting.reason)
            .bind::<Text, _>(posting.actor)
            .bind::<Nullable<Text>, _>(ref_type)
            .bind::<Nullable<Text>, _>(ref_id)
            .bind::<Jsonb, _>(posting.details)
            .bind::<Timestamptz, _>(posting.at)
            .bind::<Array<Text>, _>(accounts)
            .bind::<Array<BigInt>, _>(amounts)
            .bind::<Array<SqlUuid>, _>(lots)
            .bind::<Array<BigInt>, _>(amounts_moved)
            .bind::<Array<BigInt>, _>(amounts_held)
            .bind::<Nullable<SqlUuid>, _>(price)
            .bind::<Nullable<BigInt>, _>(quantity)
            .bind::<Array<BigInt>, _>(sums.to_vec()),
    );
}

/// What reversals of a source have taken back so far, as the books say.
pub(crate) async fn revoked(
    tx: &mut Tx,
    user: UserId,
    source_type: &str,
    source_id: &str,
) -> Result<i64, DbError> {
    let amounts: Vec<i64> = credit_entries::table
        .inner_join(credit_txns::table)
        .filter(credit_txns::user_id.eq(user.0))
        .filter(credit_txns::ref_type.eq(source_type))
        .filter(credit_txns::ref_id.eq(source_id))
        .filter(credit_txns::kind.eq_any(["clawback", "reinstate"]))
        .filter(credit_entries::account.eq("system:revoked"))
        .select(credit_entries::amount)
        .load(tx)
        .await?;
    Ok(amounts.into_iter().fold(0, i64::saturating_add))
}
