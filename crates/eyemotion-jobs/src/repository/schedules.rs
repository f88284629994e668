use crate::schema::schedules::dsl;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};
use serde_json::Value;

#[derive(Insertable)]
#[diesel(table_name = crate::schema::schedules)]
pub(crate) struct ScheduleRow<'a> {
    pub name: &'a str,
    pub cron: &'a str,
    pub kind: &'a str,
    pub payload: &'a Value,
    pub next_run_at: DateTime<Utc>,
}

/// Stores a schedule. One that is known keeps its next run, unless its expression has changed.
pub(crate) async fn upsert(tx: &mut Tx, row: &ScheduleRow<'_>) -> Result<(), DbError> {
    diesel::insert_into(dsl::schedules)
        .values(row)
        .on_conflict(dsl::name)
        .do_update()
        .set((
            dsl::kind.eq(excluded(dsl::kind)),
            dsl::payload.eq(excluded(dsl::payload)),
        ))
        .execute(tx)
        .await?;
    diesel::update(dsl::schedules.find(row.name).filter(dsl::cron.ne(row.cron)))
        .set((dsl::cron.eq(row.cron), dsl::next_run_at.eq(row.next_run_at)))
        .execute(tx)
        .await?;
    Ok(())
}

/// The names and ticks of what is due, locked. What another replica is just advancing is left out.
pub(crate) async fn due(
    tx: &mut Tx,
    names: &[&str],
    now: DateTime<Utc>,
) -> Result<Vec<(String, DateTime<Utc>)>, DbError> {
    Ok(dsl::schedules
        .filter(dsl::next_run_at.le(now))
        .filter(dsl::name.eq_any(names))
        .select((dsl::name, dsl::next_run_at))
        .for_update()
        .skip_locked()
        .load(tx)
        .await?)
}

pub(crate) async fn advance(
    tx: &mut Tx,
    name: &str,
    now: DateTime<Utc>,
    next: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(dsl::schedules.find(name))
        .set((dsl::last_run_at.eq(now), dsl::next_run_at.eq(next)))
        .execute(tx)
        .await?;
    Ok(())
}
