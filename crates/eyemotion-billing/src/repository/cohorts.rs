//! Subscribers by the month in which they first paid.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};
use diesel_async::RunQueryDsl;
use eyemotion_db::{DbError, Tx};

/// How many of a cohort paid when a month was over, for the months in which that changed.
#[derive(QueryableByName)]
pub(crate) struct RetentionRow {
    #[diesel(sql_type = Date)]
    pub cohort: NaiveDate,
    #[diesel(sql_type = Date)]
    pub month: NaiveDate,
    #[diesel(sql_type = BigInt)]
    pub paying: i64,
    #[diesel(sql_type = BigInt)]
    pub began: i64,
}

pub(crate) async fn retention(tx: &mut Tx, currency: &str) -> Result<Vec<RetentionRow>, DbError> {
    let query = "
        with cohorts as (
            select user_id, date_trunc('month', day)::date as cohort
            from subscription_mrr_daily where currency = $1 and movement = 'new'
        ), changes as (
            select c.cohort, date_trunc('month', d.day)::date as month,
                sum(case d.movement when 'churn' then -1 else 1 end) as change,
                count(*) filter (where d.movement = 'new') as began
            from subscription_mrr_daily d join cohorts c using (user_id)
            where d.currency = $1 and d.movement in ('new', 'reactivation', 'churn')
            group by 1, 2
        )
        select cohort, month, sum(change) over (partition by cohort order by month)::bigint as paying, began
        from changes order by 1, 2";
    Ok(diesel::sql_query(query)
        .bind::<Text, _>(currency)
        .load(tx)
        .await?)
}

/// What a cohort has paid.
#[derive(QueryableByName)]
pub(crate) struct CashRow {
    #[diesel(sql_type = Date)]
    pub cohort: NaiveDate,
    #[diesel(sql_type = BigInt)]
    pub gross: i64,
    #[diesel(sql_type = BigInt)]
    pub refunded: i64,
}

pub(crate) async fn cash(tx: &mut Tx, currency: &str) -> Result<Vec<CashRow>, DbError> {
    let query = "
        select date_trunc('month', d.day)::date as cohort,
            coalesce(sum(p.amount) filter (where p.transaction_type <> 'refund'), 0)::bigint as gross,
            coalesce(sum(p.amount) filter (where p.transaction_type = 'refund'), 0)::bigint as refunded
        from subscription_mrr_daily d join payment_transactions p on p.user_id = d.user_id and p.currency = d.currency
        where d.currency = $1 and d.movement = 'new' and p.status in ('completed', 'refunded')
        group by 1";
    Ok(diesel::sql_query(query)
        .bind::<Text, _>(currency)
        .load(tx)
        .await?)
}
