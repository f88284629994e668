use crate::schema::payment_transactions as payments;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

const REFUND: &str = "refund";

/// A payment as Stripe has it now; what comes of refunds and disputes is written apart.
#[derive(Clone, Debug, AsChangeset, Insertable)]
#[diesel(table_name = payments, treat_none_as_null = true)]
pub(crate) struct PaymentRow {
    pub user_id: Uuid,
    pub subscription_id: Option<Uuid>,
    pub plan_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    pub stripe_payment_intent_id: Option<String>,
    pub stripe_invoice_id: Option<String>,
    pub stripe_checkout_session_id: Option<String>,
    pub stripe_charge_id: Option<String>,
    pub amount: i64,
    pub tax_amount: i64,
    pub currency: String,
    pub status: &'static str,
    pub transaction_type: &'static str,
    pub description: String,
    pub invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    pub receipt_url: Option<String>,
    pub failure_message: Option<String>,
    pub metadata: Value,
    pub processed_at: Option<DateTime<Utc>>,
}

/// A payment that is known.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
pub(crate) struct KnownPayment {
    pub id: Uuid,
    pub user_id: Uuid,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub stripe_invoice_id: Option<String>,
    pub stripe_checkout_session_id: Option<String>,
    pub invoice_url: Option<String>,
}

/// The payment of an invoice.
pub(crate) async fn of_invoice(
    tx: &mut Tx,
    invoice: &str,
) -> Result<Option<KnownPayment>, DbError> {
    Ok(payments::table
        .filter(payments::stripe_invoice_id.eq(invoice))
        .filter(payments::transaction_type.ne(REFUND))
        .select(KnownPayment::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// The payment of an order.
pub(crate) async fn of_order(tx: &mut Tx, order: Uuid) -> Result<Option<KnownPayment>, DbError> {
    Ok(payments::table
        .filter(payments::order_id.eq(order))
        .select(KnownPayment::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// The payment that an intent made.
pub(crate) async fn of_intent(tx: &mut Tx, intent: &str) -> Result<Option<KnownPayment>, DbError> {
    Ok(payments::table
        .filter(payments::stripe_payment_intent_id.eq(intent))
        .filter(payments::transaction_type.ne(REFUND))
        .select(KnownPayment::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// Writes a payment that was not known.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    row: &PaymentRow,
    created_at: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(payments::table)
        .values((
            payments::id.eq(id),
            payments::created_at.eq(created_at),
            row,
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes a known payment equal to this.
pub(crate) async fn update(tx: &mut Tx, id: Uuid, row: &PaymentRow) -> Result<(), DbError> {
    diesel::update(payments::table.find(id))
        .set(row)
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes how much of a payment went back, and what that makes of it.
pub(crate) async fn set_reversed(
    tx: &mut Tx,
    id: Uuid,
    refunded: i64,
    disputed: i64,
    status: &str,
) -> Result<(), DbError> {
    diesel::update(payments::table.find(id))
        .set((
            payments::refunded_amount.eq(refunded),
            payments::disputed_amount.eq(disputed),
            payments::status.eq(status),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// A refund as Stripe has it now.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = payments, treat_none_as_null = true)]
pub(crate) struct RefundRow {
    pub user_id: Uuid,
    pub payment_id: Option<Uuid>,
    pub stripe_refund_id: String,
    pub stripe_payment_intent_id: Option<String>,
    pub stripe_charge_id: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub status: &'static str,
    pub transaction_type: &'static str,
    pub description: String,
    pub failure_message: Option<String>,
    pub processed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// Makes the row equal to the refund; `id` is its own if it is new.
pub(crate) async fn upsert_refund(tx: &mut Tx, id: Uuid, row: &RefundRow) -> Result<(), DbError> {
    diesel::insert_into(payments::table)
        .values((payments::id.eq(id), row))
        .on_conflict(payments::stripe_refund_id)
        .do_update()
        .set(row)
        .execute(tx)
        .await?;
    Ok(())
}
