//! What a person leaves behind in the books.

use crate::model::SubscriptionStatus;
use crate::schema::{payment_orders, payment_transactions, stripe_customers, subscriptions};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde_json::{Value, json};

/// Ends what is still live and forgets who the customer was.
pub(crate) async fn end_subscriptions(
    tx: &mut Tx,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let own = subscriptions::table.filter(subscriptions::user_id.eq(user.0));
    diesel::update(own)
        .set(subscriptions::stripe_customer_id.eq(None::<String>))
        .execute(tx)
        .await?;
    let cancelled = SubscriptionStatus::Cancelled.as_str();
    let live = own.filter(subscriptions::status.ne(cancelled));
    diesel::update(live)
        .set((
            subscriptions::status.eq(cancelled),
            subscriptions::cancelled_at.eq(now),
            subscriptions::ended_at.eq(now),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Leaves of payments what the books need: amounts, times, the provider's ids. Invoices carry
/// names, and so may texts.
pub(crate) async fn strip_payments(tx: &mut Tx, user: UserId) -> Result<(), DbError> {
    diesel::update(payment_transactions::table.filter(payment_transactions::user_id.eq(user.0)))
        .set((
            payment_transactions::description.eq(""),
            payment_transactions::invoice_url.eq(None::<String>),
            payment_transactions::invoice_pdf.eq(None::<String>),
            payment_transactions::receipt_url.eq(None::<String>),
            payment_transactions::failure_message.eq(None::<String>),
            payment_transactions::metadata.eq(json!({})),
        ))
        .execute(tx)
        .await?;
    diesel::update(payment_orders::table.filter(payment_orders::user_id.eq(user.0)))
        .set((
            payment_orders::success_url.eq(""),
            payment_orders::cancel_url.eq(""),
            payment_orders::checkout_url.eq(None::<String>),
        ))
        .execute(tx)
        .await?;
    diesel::update(stripe_customers::table.find(user.0))
        .set(stripe_customers::card.eq(None::<Value>))
        .execute(tx)
        .await?;
    Ok(())
}

/// Puts the pseudonym where the person is named as the one who acted in others' books. The books
/// are append-only to us, so a function of the owner's does it.
pub(crate) async fn rename_actor(
    tx: &mut Tx,
    user: UserId,
    pseudonym: UserId,
) -> Result<(), DbError> {
    diesel::sql_query("select public.credit_txns_rename_actor($1, $2)")
        .bind::<SqlUuid, _>(user.0)
        .bind::<SqlUuid, _>(pseudonym.0)
        .execute(tx)
        .await?;
    Ok(())
}
