use crate::schema::payment_disputes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// A dispute as Stripe has it now.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = payment_disputes, treat_none_as_null = true)]
pub(crate) struct DisputeRow {
    pub stripe_dispute_id: String,
    pub user_id: Uuid,
    pub payment_id: Uuid,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub reason: String,
    pub evidence_due_at: Option<DateTime<Utc>>,
    /// Whether the money is gone from us.
    pub withdrawn: bool,
    /// When the bank opened it: if it is lost, money is missing since then.
    pub created_at: DateTime<Utc>,
}

/// Makes the row equal to the dispute.
pub(crate) async fn upsert(tx: &mut Tx, row: &DisputeRow) -> Result<(), DbError> {
    diesel::insert_into(payment_disputes::table)
        .values(row)
        .on_conflict(payment_disputes::stripe_dispute_id)
        .do_update()
        .set(row)
        .execute(tx)
        .await?;
    Ok(())
}

/// What a payment's disputes come to.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Claim {
    pub amount: i64,
    pub status: String,
    pub withdrawn: bool,
}

/// The disputes of a payment.
pub(crate) async fn of_payment(tx: &mut Tx, payment: Uuid) -> Result<Vec<Claim>, DbError> {
    Ok(payment_disputes::table
        .filter(payment_disputes::payment_id.eq(payment))
        .select((
            payment_disputes::amount,
            payment_disputes::status,
            payment_disputes::withdrawn,
        ))
        .load(tx)
        .await?)
}
