use crate::model::Plan;
use crate::schema::subscription_plans;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, Money};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = subscription_plans, check_for_backend(diesel::pg::Pg))]
pub(crate) struct PlanRow {
    id: Uuid,
    name: String,
    display_name: String,
    description: String,
    price: i64,
    currency: String,
    billing_interval: String,
    credits_included: i64,
    storage_gb: i32,
    features: Value,
}

impl TryFrom<PlanRow> for Plan {
    type Error = DbError;

    fn try_from(row: PlanRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            display_name: row.display_name,
            description: row.description,
            price: Money {
                amount: row.price,
                currency: row.currency,
            },
            interval: super::name(&row.billing_interval)?,
            credits_included: Credits(row.credits_included),
            storage_gb: row.storage_gb,
            features: serde_json::from_value(row.features)
                .map_err(|error| DbError::Other(error.into()))?,
        })
    }
}

/// The plans on sale, in the catalogue's order.
pub(crate) async fn on_sale(tx: &mut Tx) -> Result<Vec<Plan>, DbError> {
    subscription_plans::table
        .filter(subscription_plans::is_active)
        .order((
            subscription_plans::sort_order,
            subscription_plans::price,
            subscription_plans::id,
        ))
        .select(PlanRow::as_select())
        .load(tx)
        .await?
        .into_iter()
        .map(Plan::try_from)
        .collect()
}

/// A monthly plan by its name, on sale or not.
pub(crate) async fn monthly(tx: &mut Tx, name: &str) -> Result<Plan, DbError> {
    subscription_plans::table
        .filter(subscription_plans::name.eq(name))
        .filter(subscription_plans::billing_interval.eq("month"))
        .select(PlanRow::as_select())
        .first(tx)
        .await?
        .try_into()
}

/// The plan whose present price at Stripe this is, on sale or not.
pub(crate) async fn of_price(tx: &mut Tx, price: &str) -> Result<Option<Plan>, DbError> {
    subscription_plans::table
        .filter(subscription_plans::stripe_price_id.eq(price))
        .select(PlanRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(Plan::try_from)
        .transpose()
}

/// A plan by its name and interval, on sale or not.
pub(crate) async fn named(
    tx: &mut Tx,
    name: &str,
    interval: &str,
) -> Result<Option<Plan>, DbError> {
    subscription_plans::table
        .filter(subscription_plans::name.eq(name))
        .filter(subscription_plans::billing_interval.eq(interval))
        .select(PlanRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(Plan::try_from)
        .transpose()
}

/// A plan, on sale or not.
pub(crate) async fn find(tx: &mut Tx, id: Uuid) -> Result<Plan, DbError> {
    subscription_plans::table
        .find(id)
        .select(PlanRow::as_select())
        .first(tx)
        .await?
        .try_into()
}

/// What a plan's price is called at Stripe.
pub(crate) async fn stripe_price(tx: &mut Tx, plan: Uuid) -> Result<Option<String>, DbError> {
    Ok(subscription_plans::table
        .find(plan)
        .select(subscription_plans::stripe_price_id)
        .first(tx)
        .await?)
}

/// Notes what a plan's price is called at Stripe.
pub(crate) async fn set_stripe_price(tx: &mut Tx, plan: Uuid, price: &str) -> Result<(), DbError> {
    diesel::update(subscription_plans::table.find(plan))
        .set(subscription_plans::stripe_price_id.eq(price))
        .execute(tx)
        .await?;
    Ok(())
}
