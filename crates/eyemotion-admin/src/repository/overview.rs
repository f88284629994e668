use crate::overview::ProjectFigures;
use crate::schema::admin_projects;
use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_db::Tx;

/// The people of one country.
#[derive(QueryableByName)]
pub(crate) struct PeopleRow {
    #[diesel(sql_type = Text)]
    pub country: String,
    #[diesel(sql_type = BigInt)]
    pub total: i64,
    #[diesel(sql_type = BigInt)]
    pub this_month: i64,
    #[diesel(sql_type = BigInt)]
    pub last_month: i64,
    #[diesel(sql_type = BigInt)]
    pub this_week: i64,
}

/// Diesel has no words for the beginning of a month in a time zone.
const PEOPLE: &str = "
    with calendar as materialized (
        select date_trunc('month', here) at time zone $2 as month,
            (date_trunc('month', here) - interval '1 month') at time zone $2 as before,
            date_trunc('week', here) at time zone $2 as week
        from (select $1 at time zone $2 as here) as clock
    )
    select p.country, count(*) as total,
        count(*) filter (where p.created_at >= c.month) as this_month,
        count(*) filter (where p.created_at >= c.before and p.created_at < c.month) as last_month,
        count(*) filter (where p.created_at >= c.week) as this_week
    from admin_people p cross join calendar c
    group by 1 order by 2 desc, 1";

/// Those of each country, most first.
pub(crate) async fn people(
    tx: &mut Tx,
    now: DateTime<Utc>,
    zone: &str,
) -> QueryResult<Vec<PeopleRow>> {
    diesel::sql_query(PEOPLE)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(zone)
        .load(tx)
        .await
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
