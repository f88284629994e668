use crate::schema::jobs::dsl;
use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = crate::schema::jobs)]
pub(crate) struct DeadRow {
    pub id: Uuid,
    pub queue: String,
    pub kind: String,
    pub payload: Value,
    pub attempts: i32,
    pub owner_id: Option<Uuid>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The latest first.
pub(crate) async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<DeadRow>, DbError> {
    Ok(dsl::jobs
        .filter(dsl::state.eq("dead"))
        .order((dsl::updated_at.desc(), dsl::id.desc()))
        .limit(limit)
        .select(DeadRow::as_select())
        .load(tx)
        .await?)
}

/// Queues a dead job again from its first attempt; `None` if it is not dead. Returns its queue.
/// Its `run_at` lies in the past already.
pub(crate) async fn revive(tx: &mut Tx, id: Uuid) -> Result<Option<String>, DbError> {
    Ok(
        diesel::update(dsl::jobs.find(id).filter(dsl::state.eq("dead")))
            .set((dsl::state.eq("queued"), dsl::attempts.eq(0)))
            .returning(dsl::queue)
            .get_result(tx)
            .await
            .optional()?,
    )
}

/// Wakes the workers of a queue at the commit, as an insert does.
pub(crate) async fn announce(tx: &mut Tx, queue: &str) -> Result<(), DbError> {
    diesel::sql_query("select pg_notify('jobs', $1)")
        .bind::<Text, _>(queue)
        .execute(tx)
        .await?;
    Ok(())
}

/// State, number of jobs, earliest `run_at`.
pub(crate) async fn count(
    tx: &mut Tx,
) -> Result<Vec<(String, i64, Option<DateTime<Utc>>)>, DbError> {
    Ok(dsl::jobs
        .group_by(dsl::state)
        .select((dsl::state, count_star(), min(dsl::run_at)))
        .load(tx)
        .await?)
}
