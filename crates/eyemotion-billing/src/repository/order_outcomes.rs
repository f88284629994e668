//! What became of orders.

use crate::schema::payment_orders;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// An order as its payment is judged by.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = payment_orders, check_for_backend(diesel::pg::Pg))]
pub(crate) struct PlacedOrder {
    pub id: Uuid,
    pub user_id: Uuid,
    pub credits: Option<i64>,
    pub amount: i64,
    pub currency: String,
    pub paid_at: Option<DateTime<Utc>>,
}

/// An order, locked until `tx` ends.
pub(crate) async fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<PlacedOrder>, DbError> {
    Ok(payment_orders::table
        .find(id)
        .select(PlacedOrder::as_select())
        .for_no_key_update()
        .first(tx)
        .await
        .optional()?)
}

/// The order that a checkout session is for.
pub(crate) async fn of_session(tx: &mut Tx, session: &str) -> Result<Option<Uuid>, DbError> {
    Ok(payment_orders::table
        .filter(payment_orders::stripe_checkout_session_id.eq(session))
        .select(payment_orders::id)
        .first(tx)
        .await
        .optional()?)
}

/// The checkout session of the order that an intent pays.
pub(crate) async fn session_of_intent(
    tx: &mut Tx,
    intent: &str,
) -> Result<Option<String>, DbError> {
    let found: Option<Option<String>> = payment_orders::table
        .filter(payment_orders::stripe_payment_intent_id.eq(intent))
        .select(payment_orders::stripe_checkout_session_id)
        .first(tx)
        .await
        .optional()?;
    Ok(found.flatten())
}

/// The checkout session of an order.
pub(crate) async fn session_of(tx: &mut Tx, id: Uuid) -> Result<Option<String>, DbError> {
    let found: Option<Option<String>> = payment_orders::table
        .find(id)
        .select(payment_orders::stripe_checkout_session_id)
        .first(tx)
        .await
        .optional()?;
    Ok(found.flatten())
}

/// Sets where an order stands, with what Stripe made for it.
pub(crate) async fn set(
    tx: &mut Tx,
    id: Uuid,
    status: &str,
    session: &str,
    intent: Option<&str>,
    paid_at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    diesel::update(payment_orders::table.find(id))
        .set((
            payment_orders::status.eq(status),
            payment_orders::stripe_checkout_session_id.eq(session),
            payment_orders::stripe_payment_intent_id.eq(intent),
            payment_orders::paid_at.eq(paid_at),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Who placed an order.
pub(crate) async fn orderer(tx: &mut Tx, id: Uuid) -> Result<Option<UserId>, DbError> {
    let found: Option<Uuid> = payment_orders::table
        .find(id)
        .select(payment_orders::user_id)
        .first(tx)
        .await
        .optional()?;
    Ok(found.map(UserId))
}
