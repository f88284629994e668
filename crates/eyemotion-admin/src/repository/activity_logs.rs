use crate::schema::activity_logs;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;
use serde_json::Value;
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = activity_logs)]
pub(crate) struct NewActivityRow<'a> {
    pub user_id: Option<Uuid>,
    pub action: &'a str,
    pub resource_type: &'a str,
    pub resource_id: Option<&'a str>,
    pub details: Value,
    pub ip_address: Option<String>,
    pub user_agent: Option<&'a str>,
    pub session_id: Option<Uuid>,
    pub request_id: &'a str,
}

/// Names of partitions.
#[derive(QueryableByName)]
pub(crate) struct Maintained {
    #[diesel(sql_type = Array<Text>)]
    pub created: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    pub dropped: Vec<String>,
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewActivityRow<'_>) -> QueryResult<usize> {
    diesel::insert_into(activity_logs::table)
        .values(row)
        .execute(tx)
        .await
}

pub(crate) async fn maintain(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Maintained> {
    diesel::sql_query("SELECT created, dropped FROM public.activity_logs_maintain($1)")
        .bind::<Timestamptz, _>(now)
        .get_result(tx)
        .await
}
