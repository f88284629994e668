//! What a reconciliation looks at.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// A person who is a customer, or has bought something.
#[derive(Debug, QueryableByName)]
pub(crate) struct CustomerRow {
    #[diesel(sql_type = SqlUuid)]
    pub user_id: Uuid,
    #[diesel(sql_type = Text)]
    pub stripe_customer_id: String,
}

/// Customers in the order of their people, after the given one.
pub(crate) async fn customers(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<CustomerRow>, DbError> {
    let query = "
select user_id, stripe_customer_id from stripe_customers
where stripe_customer_id is not null and user_id > $1
order by user_id limit $2";
    Ok(diesel::sql_query(query)
        .bind::<SqlUuid, _>(after.unwrap_or_default())
        .bind::<BigInt, _>(limit)
        .load(tx)
        .await?)
}

#[derive(QueryableByName)]
struct NamedObject {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    id: String,
}

/// Sort and id of what changed within a day, by the database's clock, and of what is not settled.
const TOUCHED: &str = "
select 'subscription' as kind, stripe_subscription_id as id from subscriptions
where stripe_subscription_id is not null
  and (updated_at > now() - interval '24 hours' or status = 'past_due')
union
select 'invoice', stripe_invoice_id from payment_transactions
where stripe_invoice_id is not null
  and (updated_at > now() - interval '24 hours' or status = 'pending')
union
select 'checkout_session', stripe_checkout_session_id from payment_orders
where stripe_checkout_session_id is not null
  and (updated_at > now() - interval '24 hours' or status in ('created', 'open', 'processing'))
union
select 'review', stripe_id from fraud_warnings where kind = 'review' and open
union
select 'early_fraud_warning', stripe_id from fraud_warnings where kind = 'early_fraud_warning' and open
order by kind desc, id";

/// What changed lately, or is not settled.
pub(crate) async fn touched(tx: &mut Tx) -> Result<Vec<(String, String)>, DbError> {
    let rows: Vec<NamedObject> = diesel::sql_query(TOUCHED).load(tx).await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.id)).collect())
}

/// The checkout sessions of a person's orders, but those that nobody paid in time.
pub(crate) async fn sessions_of(tx: &mut Tx, user: UserId) -> Result<Vec<String>, DbError> {
    let query = "
select 'checkout_session' as kind, stripe_checkout_session_id as id from payment_orders
where user_id = $1 and stripe_checkout_session_id is not null and status <> 'expired'
order by created_at, id";
    let rows: Vec<NamedObject> = diesel::sql_query(query)
        .bind::<SqlUuid, _>(user.0)
        .load(tx)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
