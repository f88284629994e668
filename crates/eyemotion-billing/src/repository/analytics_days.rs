//! Makes the days.

use crate::analytics::BuiltUntil;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Bool, Date, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};

#[derive(diesel::QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// One process at a time, until the transaction ends: waits for the others, or says that there is
/// one. It may take as long as it takes.
pub(crate) async fn lock(tx: &mut Tx, wait: bool) -> Result<bool, DbError> {
    diesel::sql_query("set local statement_timeout = 0")
        .execute(tx)
        .await?;
    if wait {
        diesel::sql_query("select pg_advisory_xact_lock(hashtextextended('billing.analytics', 0))")
            .execute(tx)
            .await?;
        return Ok(true);
    }
    let query =
        "select pg_try_advisory_xact_lock(hashtextextended('billing.analytics', 0)) as locked";
    let answer: Locked = diesel::sql_query(query).get_result(tx).await?;
    Ok(answer.locked)
}

/// What is to be made.
#[derive(diesel::QueryableByName)]
pub(crate) struct Due {
    /// The first day that is not as it should be.
    #[diesel(sql_type = Date)]
    pub first_day: NaiveDate,
    /// The present one.
    #[diesel(sql_type = Date)]
    pub today: NaiveDate,
    /// The present moment by the database's clock.
    #[diesel(sql_type = Timestamptz)]
    pub heard: DateTime<Utc>,
}

pub(crate) async fn due(tx: &mut Tx, zone: &str, now: DateTime<Utc>) -> Result<Due, DbError> {
    let query = "
        select analytics_first_day($1, today) as first_day, today, now() as heard
        from (select ($2 at time zone $1)::date) as clock (today)";
    Ok(diesel::sql_query(query)
        .bind::<Text, _>(zone)
        .bind::<Timestamptz, _>(now)
        .get_result(tx)
        .await?)
}

/// Makes these days anew.
pub(crate) async fn build(
    tx: &mut Tx,
    from: NaiveDate,
    to: NaiveDate,
    zone: &str,
) -> Result<(), DbError> {
    diesel::sql_query("select analytics_build($1, $2, $3)")
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .bind::<Text, _>(zone)
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes until when they are made.
pub(crate) async fn note(
    tx: &mut Tx,
    until: &BuiltUntil,
    heard: DateTime<Utc>,
    zone: &str,
) -> Result<(), DbError> {
    let query = "
        insert into analytics_state (time_zone, last_day, as_of, built_at) values ($1, $2, $3, $4)
        on conflict (id) do update set time_zone = excluded.time_zone, last_day = excluded.last_day,
            as_of = excluded.as_of, built_at = excluded.built_at";
    diesel::sql_query(query)
        .bind::<Text, _>(zone)
        .bind::<Date, _>(until.last_day)
        .bind::<Timestamptz, _>(until.as_of)
        .bind::<Timestamptz, _>(heard)
        .execute(tx)
        .await?;
    Ok(())
}
