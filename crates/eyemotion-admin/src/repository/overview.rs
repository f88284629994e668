use crate::overview::{PeopleFigures, ProjectFigures};
use crate::schema::{admin_people, admin_projects};
use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;

#[derive(QueryableByName)]
struct PeopleRow {
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    this_month: i64,
    #[diesel(sql_type = BigInt)]
    last_month: i64,
    #[diesel(sql_type = BigInt)]
    this_week: i64,
}

/// Diesel has no words for the beginning of a month in a time zone.
const PEOPLE: &str = "
    with calendar as materialized (
        select date_trunc('month', here) at time zone $2 as month,
            date_trunc('month', here) - interval '1 month' as before, date_trunc('week', here) at time zone $2 as week
        from (select $1 at time zone $2 as here) as clock
    )
    select count(*) as total,
        count(*) filter (where created_at >= c.month) as this_month,
        count(*) filter (where created_at >= c.before at time zone $2 and created_at < c.month) as last_month,
        count(*) filter (where created_at >= c.week) as this_week
    from admin_people cross join calendar c";

pub(crate) async fn people(
    tx: &mut Tx,
    now: DateTime<Utc>,
    zone: &str,
) -> QueryResult<PeopleFigures> {
    let row: PeopleRow = diesel::sql_query(PEOPLE)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(zone)
        .get_result(tx)
        .await?;
    Ok(PeopleFigures {
        total: row.total,
        this_month: row.this_month,
        last_month: row.last_month,
        this_week: row.this_week,
    })
}

pub(crate) async fn projects(tx: &mut Tx) -> QueryResult<ProjectFigures> {
    let counts: Vec<(String, i64)> = admin_projects::table
        .group_by(admin_projects::status)
        .select((admin_projects::status, count_star()))
        .load(tx)
        .await?;
    let of = |known: &[&str]| {
        let counts = counts
            .iter()
            .filter(|(status, _)| known.contains(&status.as_str()));
        counts.map(|(_, count)| count).sum()
    };
    Ok(ProjectFigures {
        total: counts.iter().map(|(_, count)| count).sum(),
        active: of(&["draft", "in_progress", "review"]),
        completed: of(&["completed"]),
    })
}

/// The country's name, and how many people; most first.
pub(crate) async fn countries(tx: &mut Tx) -> QueryResult<Vec<(String, i64)>> {
    admin_people::table
        .group_by(admin_people::country)
        .select((admin_people::country, count_star()))
        .order((count_star().desc(), admin_people::country))
        .load(tx)
        .await
}
