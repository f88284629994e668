//! What people set out to buy.

use crate::schema::{payment_orders, stripe_customers};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

const UNPAID: [&str; 2] = ["created", "open"];

/// An order: what is wanted, what it costs, where it stands.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = payment_orders, check_for_backend(diesel::pg::Pg))]
pub(crate) struct OrderRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub plan_id: Option<Uuid>,
    pub credits: Option<i64>,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub success_url: String,
    pub cancel_url: String,
    pub stripe_checkout_session_id: Option<String>,
    pub checkout_url: Option<String>,
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

impl OrderRow {
    /// Whether both ask for the same thing at the same price, and lead back to the same pages.
    pub(crate) fn is_same_wish(&self, other: &Self) -> bool {
        (self.plan_id, self.credits, self.amount) == (other.plan_id, other.credits, other.amount)
            && self.currency == other.currency
            && (&self.success_url, &self.cancel_url) == (&other.success_url, &other.cancel_url)
    }
}

/// Writes an order down.
pub(crate) async fn insert(tx: &mut Tx, order: &OrderRow) -> Result<(), DbError> {
    diesel::insert_into(payment_orders::table)
        .values(order)
        .execute(tx)
        .await?;
    Ok(())
}

/// An order of the person's.
pub(crate) async fn find(tx: &mut Tx, user: UserId, id: Uuid) -> Result<OrderRow, DbError> {
    Ok(payment_orders::table
        .find(id)
        .filter(payment_orders::user_id.eq(user.0))
        .select(OrderRow::as_select())
        .first(tx)
        .await?)
}

/// The order of the person's that a checkout session is for.
pub(crate) async fn by_session(
    tx: &mut Tx,
    user: UserId,
    session: &str,
) -> Result<Option<OrderRow>, DbError> {
    Ok(payment_orders::table
        .filter(payment_orders::user_id.eq(user.0))
        .filter(payment_orders::stripe_checkout_session_id.eq(session))
        .select(OrderRow::as_select())
        .first(tx)
        .await
        .optional()?)
}

/// The unpaid order that stands in the way of a new one: any for a plan, or one for as many
/// credits.
pub(crate) async fn unpaid(
    tx: &mut Tx,
    user: UserId,
    credits: Option<i64>,
) -> Result<Option<OrderRow>, DbError> {
    let query = payment_orders::table
        .filter(payment_orders::user_id.eq(user.0))
        .filter(payment_orders::status.eq_any(UNPAID))
        .select(OrderRow::as_select())
        .into_boxed();
    let query = match credits {
        None => query.filter(payment_orders::kind.eq("subscription")),
        Some(credits) => query.filter(payment_orders::credits.eq(credits)),
    };
    Ok(query.first(tx).await.optional()?)
}

/// Notes the page that Stripe opened for an order. False if the order has moved on since.
pub(crate) async fn open(tx: &mut Tx, id: Uuid, session: &str, url: &str) -> Result<(), DbError> {
    let order = payment_orders::table.find(id);
    diesel::update(order.filter(payment_orders::stripe_checkout_session_id.is_null()))
        .set(payment_orders::stripe_checkout_session_id.eq(session))
        .execute(tx)
        .await?;
    diesel::update(order.filter(payment_orders::status.eq("created")))
        .set((
            payment_orders::status.eq("open"),
            payment_orders::checkout_url.eq(url),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends an order that nobody has paid.
pub(crate) async fn close(tx: &mut Tx, id: Uuid, status: &'static str) -> Result<(), DbError> {
    let unpaid = payment_orders::table
        .find(id)
        .filter(payment_orders::status.eq_any(UNPAID));
    diesel::update(unpaid)
        .set(payment_orders::status.eq(status))
        .execute(tx)
        .await?;
    Ok(())
}

/// Which of Stripe's customers a person is.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = stripe_customers, check_for_backend(diesel::pg::Pg))]
pub(crate) struct CustomerRow {
    pub stripe_customer_id: Option<String>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Makes the person's row if there is none, and locks it: whoever places an order for the same
/// person waits.
pub(crate) async fn lock_customer(tx: &mut Tx, user: UserId) -> Result<CustomerRow, DbError> {
    diesel::insert_into(stripe_customers::table)
        .values(stripe_customers::user_id.eq(user.0))
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    Ok(stripe_customers::table
        .find(user.0)
        .select(CustomerRow::as_select())
        .for_no_key_update()
        .first(tx)
        .await?)
}

/// The person's customer, unless it was deleted.
pub(crate) async fn customer(tx: &mut Tx, user: UserId) -> Result<Option<String>, DbError> {
    let found: Option<Option<String>> = stripe_customers::table
        .find(user.0)
        .filter(stripe_customers::deleted_at.is_null())
        .select(stripe_customers::stripe_customer_id)
        .first(tx)
        .await
        .optional()?;
    Ok(found.flatten())
}

/// Notes which customer a person is, and no longer is the deleted one.
pub(crate) async fn set_customer(tx: &mut Tx, user: UserId, customer: &str) -> Result<(), DbError> {
    diesel::update(stripe_customers::table.find(user.0))
        .set((
            stripe_customers::stripe_customer_id.eq(customer),
            stripe_customers::deleted_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that a customer is no more.
pub(crate) async fn customer_deleted(
    tx: &mut Tx,
    customer: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(
        stripe_customers::table.filter(stripe_customers::stripe_customer_id.eq(customer)),
    )
    .set(stripe_customers::deleted_at.eq(at))
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Contact {
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The person's address and name, as invoices need them.
pub(crate) async fn contact(
    tx: &mut Tx,
    user: UserId,
) -> Result<Option<(String, String)>, DbError> {
    let query = "select u.email::text as email, coalesce(p.full_name, '') as name
from auth.users u left join public.user_profiles p on p.id = u.id where u.id = $1 and u.email is not null";
    let found: Option<Contact> = diesel::sql_query(query)
        .bind::<SqlUuid, _>(user.0)
        .get_result(tx)
        .await
        .optional()?;
    Ok(found.map(|row| (row.email, row.name)))
}
