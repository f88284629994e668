//! What is kept of Stripe's customers.

use crate::schema::{stripe_customers, subscriptions};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

/// Who a customer is.
pub(crate) async fn person(tx: &mut Tx, customer: &str) -> Result<Option<UserId>, DbError> {
    let known: Option<Uuid> = stripe_customers::table
        .filter(stripe_customers::stripe_customer_id.eq(customer))
        .select(stripe_customers::user_id)
        .first(tx)
        .await
        .optional()?;
    if known.is_some() {
        return Ok(known.map(UserId));
    }
    let billed: Option<Uuid> = subscriptions::table
        .filter(subscriptions::stripe_customer_id.eq(customer))
        .select(subscriptions::user_id)
        .first(tx)
        .await
        .optional()?;
    Ok(billed.map(UserId))
}

/// Notes which customer a person is, if none is known yet.
pub(crate) async fn link(tx: &mut Tx, user: UserId, customer: &str) -> Result<(), DbError> {
    diesel::insert_into(stripe_customers::table)
        .values((
            stripe_customers::user_id.eq(user.0),
            stripe_customers::stripe_customer_id.eq(customer),
        ))
        .on_conflict(stripe_customers::user_id)
        .do_nothing()
        .execute(tx)
        .await?;
    diesel::update(
        stripe_customers::table
            .find(user.0)
            .filter(stripe_customers::stripe_customer_id.is_null()),
    )
    .set(stripe_customers::stripe_customer_id.eq(customer))
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes since when a customer is no more: there is no card then.
pub(crate) async fn set_deleted(
    tx: &mut Tx,
    customer: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(
        stripe_customers::table.filter(stripe_customers::stripe_customer_id.eq(customer)),
    )
    .set((
        stripe_customers::card.eq(None::<Value>),
        stripe_customers::deleted_at.eq(at),
    ))
    .execute(tx)
    .await?;
    Ok(())
}

/// Sets the card that is shown.
pub(crate) async fn set_card(tx: &mut Tx, user: UserId, card: &Value) -> Result<(), DbError> {
    diesel::update(stripe_customers::table.find(user.0))
        .set(stripe_customers::card.eq(card))
        .execute(tx)
        .await?;
    Ok(())
}

/// Shows a card that was paid with, if no other is known.
pub(crate) async fn note_card(tx: &mut Tx, user: UserId, card: &Value) -> Result<(), DbError> {
    let without = stripe_customers::table
        .find(user.0)
        .filter(stripe_customers::card.is_null())
        .filter(stripe_customers::deleted_at.is_null());
    diesel::update(without)
        .set(stripe_customers::card.eq(card))
        .execute(tx)
        .await?;
    Ok(())
}

/// When a customer was found to be no more.
pub(crate) async fn deleted_at(
    tx: &mut Tx,
    customer: &str,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let found: Option<Option<DateTime<Utc>>> = stripe_customers::table
        .filter(stripe_customers::stripe_customer_id.eq(customer))
        .select(stripe_customers::deleted_at)
        .first(tx)
        .await
        .optional()?;
    Ok(found.flatten())
}

#[derive(QueryableByName)]
struct Address {
    #[diesel(sql_type = Text)]
    email: String,
}

/// The address of somebody who has not left.
pub(crate) async fn email(tx: &mut Tx, user: UserId) -> Result<Option<String>, DbError> {
    let query = "select email::text as email from auth.users where id = $1 and deleted_at is null and email is not null";
    let found: Option<Address> = diesel::sql_query(query)
        .bind::<SqlUuid, _>(user.0)
        .get_result(tx)
        .await
        .optional()?;
    Ok(found.map(|row| row.email))
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
}

/// Whose object of Stripe's this is, by any row of ours that names it.
pub(crate) async fn owner_of(tx: &mut Tx, id: &str) -> Result<Option<UserId>, DbError> {
    const OWNER: &str = "
select user_id from subscriptions where stripe_subscription_id = $1
union all select user_id from stripe_customers where stripe_customer_id = $1
union all select user_id from payment_orders where stripe_checkout_session_id = $1
union all select user_id from payment_orders where stripe_payment_intent_id = $1
union all select user_id from payment_transactions
    where stripe_payment_intent_id = $1 and transaction_type <> 'refund'
union all select user_id from payment_transactions where stripe_invoice_id = $1 and transaction_type <> 'refund'
union all select user_id from payment_transactions where stripe_charge_id = $1
union all select user_id from payment_disputes where stripe_dispute_id = $1
union all select user_id from fraud_warnings where stripe_id = $1
limit 1";
    let found: Option<Owner> = diesel::sql_query(OWNER)
        .bind::<Text, _>(id)
        .get_result(tx)
        .await
        .optional()?;
    Ok(found.map(|row| UserId(row.user_id)))
}

/// Orders all work on a person's objects until `tx` ends.
pub(crate) async fn lock(tx: &mut Tx, user: UserId) -> Result<(), DbError> {
    // Whoever holds the lock may be waiting for Stripe, longer than a statement may usually wait.
    diesel::sql_query(
        "select set_config('lock_timeout', '40s', true), set_config('statement_timeout', '45s', true)",
    )
    .execute(tx)
    .await?;
    diesel::sql_query("select pg_advisory_xact_lock(hashtextextended('stripe:' || $1::text, 0))")
        .bind::<SqlUuid, _>(user.0)
        .execute(tx)
        .await?;
    Ok(())
}
