use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde_json::{Map, Value};

#[derive(QueryableByName)]
struct SnapshotRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Jsonb)]
    columns: Value,
}

/// Every row of a person's that follows Stripe's objects, by table and key. What people and time do
/// by themselves, spending and expiry, is left out.
const ROWS: &str = "
select 'subscriptions/' || id as name, to_jsonb(s) - 'updated_at' as columns
from subscriptions s where user_id = $1
union all
select 'payment_transactions/' || id, to_jsonb(p) - 'updated_at' from payment_transactions p where user_id = $1
union all
select 'payment_orders/' || id, to_jsonb(o) - 'updated_at' - 'checkout_url' from payment_orders o where user_id = $1
union all
select 'payment_disputes/' || stripe_dispute_id, to_jsonb(d) - 'updated_at'
from payment_disputes d where user_id = $1
union all
select 'fraud_warnings/' || stripe_id, to_jsonb(w) - 'updated_at' from fraud_warnings w where user_id = $1
union all
select 'stripe_customers/' || user_id, to_jsonb(c) - 'updated_at' from stripe_customers c where user_id = $1
union all
select 'credit_lots/' || source_type || '/' || source_id, jsonb_build_object('granted', granted, 'kind', kind)
from credit_lots where user_id = $1";

/// All of these rows.
pub(crate) async fn rows(
    tx: &mut Tx,
    user: UserId,
) -> Result<Vec<(String, Map<String, Value>)>, DbError> {
    let rows: Vec<SnapshotRow> = diesel::sql_query(ROWS)
        .bind::<SqlUuid, _>(user.0)
        .load(tx)
        .await?;
    let columns = |columns: Value| match columns {
        Value::Object(columns) => columns,
        _ => Map::new(),
    };
    Ok(rows
        .into_iter()
        .map(|row| (row.name, columns(row.columns)))
        .collect())
}
