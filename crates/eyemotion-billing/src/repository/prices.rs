use crate::model::ActionPrice;
use crate::schema::action_prices;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::Credits;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = action_prices, check_for_backend(diesel::pg::Pg))]
struct PriceRow {
    id: Uuid,
    action: String,
    unit: String,
    credits_per_unit: i64,
    min: i64,
    valid_from: DateTime<Utc>,
    valid_to: Option<DateTime<Utc>>,
}

impl TryFrom<PriceRow> for ActionPrice {
    type Error = DbError;

    fn try_from(row: PriceRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id,
            action: row.action,
            unit: super::name(&row.unit)?,
            credits_per_unit: Credits(row.credits_per_unit),
            min: Credits(row.min),
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        })
    }
}

/// The price of an action at a moment; the table has at most one.
pub(crate) async fn at(
    tx: &mut Tx,
    action: &str,
    now: DateTime<Utc>,
) -> Result<Option<ActionPrice>, DbError> {
    action_prices::table
        .filter(action_prices::action.eq(action))
        .filter(action_prices::valid_from.le(now))
        .filter(
            action_prices::valid_to
                .is_null()
                .or(action_prices::valid_to.gt(now).assume_not_null()),
        )
        .select(PriceRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(ActionPrice::try_from)
        .transpose()
}

/// Every price there was, is and will be.
pub(crate) async fn all(tx: &mut Tx) -> Result<Vec<ActionPrice>, DbError> {
    action_prices::table
        .order((action_prices::action, action_prices::valid_from))
        .select(PriceRow::as_select())
        .load(tx)
        .await?
        .into_iter()
        .map(ActionPrice::try_from)
        .collect()
}
