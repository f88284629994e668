//! What reports read of the days. Sums are taken in SQL texts: Diesel would have those of bigint as
//! decimals.

use crate::analytics::{BuiltUntil, Movements, Revenue};
use crate::schema::{
    analytics_state, mrr_daily, payment_transactions, revenue_daily, subscription_plans,
};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_core::Ratio;
use eyemotion_db::{DbError, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// Until when the days are made, in this time zone; none: they are not.
pub(crate) async fn built(tx: &mut Tx, zone: &str) -> Result<Option<BuiltUntil>, DbError> {
    let found: Option<(NaiveDate, DateTime<Utc>)> = analytics_state::table
        .filter(analytics_state::time_zone.eq(zone))
        .select((analytics_state::last_day, analytics_state::as_of))
        .first(tx)
        .await
        .optional()?;
    Ok(found.map(|(last_day, as_of)| BuiltUntil { last_day, as_of }))
}

/// What a plan brought at a day's end.
pub(crate) struct MrrRow {
    pub day: NaiveDate,
    pub plan: Uuid,
    pub mrr: Ratio,
    pub subscribers: i64,
}

pub(crate) async fn mrr(
    tx: &mut Tx,
    currency: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<MrrRow>, DbError> {
    let rows: Vec<(NaiveDate, Uuid, i64, i64, i64)> = mrr_daily::table
        .filter(mrr_daily::currency.eq(currency))
        .filter(mrr_daily::day.between(from, to))
        .order(mrr_daily::day)
        .select((
            mrr_daily::day,
            mrr_daily::plan_id,
            mrr_daily::mrr_num,
            mrr_daily::mrr_den,
            mrr_daily::subscribers,
        ))
        .load(tx)
        .await?;
    let row = |(day, plan, num, den, subscribers)| MrrRow {
        day,
        plan,
        mrr: Ratio::new(num, den).unwrap_or(Ratio::ZERO),
        subscribers,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// What of a day's movement is told in fractions of the same denominators.
#[derive(QueryableByName)]
pub(crate) struct MovementRow {
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Text)]
    movement: String,
    #[diesel(sql_type = BigInt)]
    mrr_num: i64,
    #[diesel(sql_type = BigInt)]
    mrr_den: i64,
    #[diesel(sql_type = BigInt)]
    previous_num: i64,
    #[diesel(sql_type = BigInt)]
    previous_den: i64,
    #[diesel(sql_type = BigInt)]
    people: i64,
    /// Who had paid before the first day asked for.
    #[diesel(sql_type = BigInt)]
    early: i64,
}

impl MovementRow {
    /// Of those who had paid before the first day, who left.
    pub(crate) fn churned_of_start(&self) -> i64 {
        if self.movement == "churn" {
            self.early
        } else {
            0
        }
    }

    pub(crate) fn movements(&self) -> Movements {
        let fraction = |num: i64, den: i64| Ratio::new(num, den).unwrap_or(Ratio::ZERO);
        let now = fraction(self.mrr_num, self.mrr_den);
        let before = fraction(self.previous_num, self.previous_den);
        let mut moved = Movements::NONE;
        match self.movement.as_str() {
            "new" => (moved.new, moved.new_subscribers) = (now, self.people),
            "reactivation" => {
                (moved.reactivation, moved.reactivated_subscribers) = (now, self.people);
            }
            "expansion" => moved.expansion = now - before,
            "contraction" => moved.contraction = before - now,
            _ => (moved.churn, moved.churned_subscribers) = (before, self.people),
        }
        moved
    }
}

/// Movements from `from` to `to`; of all currencies where none is named.
pub(crate) async fn movements(
    tx: &mut Tx,
    currency: Option<&str>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<MovementRow>, DbError> {
    let query = "
        select day, currency, movement, mrr_den, previous_den, sum(mrr_num)::bigint as mrr_num,
            sum(previous_num)::bigint as previous_num, count(*) as people,
            count(*) filter (where paying_since < $2) as early
        from subscription_mrr_daily
        where day between $2 and $3 and ($1 is null or currency = $1) and movement is not null
        group by 1, 2, 3, 4, 5
        order by 1";
    Ok(diesel::sql_query(query)
        .bind::<Nullable<Text>, _>(currency)
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .load(tx)
        .await?)
}

/// The whole of each day and currency at the day's end.
#[derive(QueryableByName)]
pub(crate) struct TotalRow {
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    num: i64,
    #[diesel(sql_type = BigInt)]
    den: i64,
}

impl TotalRow {
    pub(crate) fn mrr(&self) -> Ratio {
        Ratio::new(self.num, self.den).unwrap_or(Ratio::ZERO)
    }
}

pub(crate) async fn totals(
    tx: &mut Tx,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<TotalRow>, DbError> {
    let query = "
        select day, currency, mrr_den as den, sum(mrr_num)::bigint as num
        from mrr_daily where day between $1 and $2 group by 1, 2, 3";
    Ok(diesel::sql_query(query)
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .load(tx)
        .await?)
}

/// Cash of a day and a plan; of what is sold without a plan where there is none.
#[derive(Queryable, Selectable)]
#[diesel(table_name = revenue_daily, check_for_backend(diesel::pg::Pg))]
pub(crate) struct RevenueRow {
    pub day: NaiveDate,
    pub plan_id: Option<Uuid>,
    payments: i64,
    gross: i64,
    tax: i64,
    refunds: i64,
    refunded: i64,
    refunded_tax: i64,
    disputes: i64,
    disputed: i64,
    disputed_tax: i64,
}

impl RevenueRow {
    pub(crate) const fn revenue(&self) -> Revenue {
        Revenue {
            payments: self.payments,
            gross: self.gross,
            tax: self.tax,
            refunds: self.refunds,
            refunded: self.refunded,
            refunded_tax: self.refunded_tax,
            disputes: self.disputes,
            disputed: self.disputed,
            disputed_tax: self.disputed_tax,
        }
    }
}

pub(crate) async fn revenue(
    tx: &mut Tx,
    currency: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<RevenueRow>, DbError> {
    Ok(revenue_daily::table
        .filter(revenue_daily::currency.eq(currency))
        .filter(revenue_daily::day.between(from, to))
        .select(RevenueRow::as_select())
        .load(tx)
        .await?)
}

/// A number, whatever of.
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

/// Net cash from a day on.
pub(crate) async fn net_since(
    tx: &mut Tx,
    currency: &str,
    from: Option<NaiveDate>,
) -> Result<i64, DbError> {
    let query = "
        select coalesce(sum(gross - tax - refunded + refunded_tax - disputed + disputed_tax), 0)::bigint as amount
        from revenue_daily where currency = $1 and ($2 is null or day >= $2)";
    let counted: Counted = diesel::sql_query(query)
        .bind::<Text, _>(currency)
        .bind::<Nullable<Date>, _>(from)
        .get_result(tx)
        .await?;
    Ok(counted.amount)
}

#[derive(QueryableByName)]
struct CurrencyRow {
    #[diesel(sql_type = Text)]
    currency: String,
}

/// Those in which there are figures.
pub(crate) async fn currencies(tx: &mut Tx) -> Result<Vec<String>, DbError> {
    let query = "
        select currency from revenue_daily union select currency from mrr_daily
        order by currency";
    let rows: Vec<CurrencyRow> = diesel::sql_query(query).load(tx).await?;
    Ok(rows.into_iter().map(|row| row.currency).collect())
}

/// What one of the ledger's accounts took in.
#[derive(QueryableByName)]
pub(crate) struct AccountRow {
    #[diesel(sql_type = Text)]
    pub account: String,
    /// From the first day to the last.
    #[diesel(sql_type = BigInt)]
    pub within: i64,
    /// Until the last.
    #[diesel(sql_type = BigInt)]
    pub until: i64,
}

pub(crate) async fn accounts(
    tx: &mut Tx,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<AccountRow>, DbError> {
    let query = "
        select account, coalesce(sum(amount) filter (where day >= $1), 0)::bigint as within,
            sum(amount)::bigint as until
        from credits_daily where day <= $2 group by 1";
    Ok(diesel::sql_query(query)
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .load(tx)
        .await?)
}

/// A payment or a refund.
#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_transactions, check_for_backend(diesel::pg::Pg))]
pub(crate) struct PaymentRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub amount: i64,
    pub tax_amount: i64,
    pub refunded_amount: i64,
    pub currency: String,
    pub status: String,
    pub transaction_type: String,
    pub description: String,
    pub processed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// The newest payments that began after the beginning of a day.
pub(crate) async fn payments(
    tx: &mut Tx,
    currency: &str,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<PaymentRow>, DbError> {
    Ok(payment_transactions::table
        .filter(payment_transactions::currency.eq(currency))
        .filter(payment_transactions::created_at.ge(since))
        .order((
            payment_transactions::created_at.desc(),
            payment_transactions::id.desc(),
        ))
        .limit(limit)
        .select(PaymentRow::as_select())
        .load(tx)
        .await?)
}

/// Live subscriptions of a plan.
#[derive(QueryableByName)]
pub(crate) struct LiveRow {
    #[diesel(sql_type = Text)]
    pub plan: String,
    #[diesel(sql_type = BigInt)]
    pub live: i64,
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
}

pub(crate) async fn live(tx: &mut Tx) -> Result<Vec<LiveRow>, DbError> {
    let query = "
        select p.name as plan, sum(s.live)::bigint as live, sum(s.paid)::bigint as paid
        from (
            select plan_id, count(*) as live, count(*) filter (where status <> 'trialing' and recurring_amount > 0) as paid
            from subscriptions where status in ('active', 'trialing', 'past_due') group by 1
        ) as s join subscription_plans p on p.id = s.plan_id
        group by 1 order by min(p.sort_order), 1";
    Ok(diesel::sql_query(query).load(tx).await?)
}

#[derive(QueryableByName)]
struct Moment {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

/// When a day begins.
pub(crate) async fn beginning(
    tx: &mut Tx,
    day: NaiveDate,
    zone: &str,
) -> Result<DateTime<Utc>, DbError> {
    let moment: Moment = diesel::sql_query("select $1::timestamp at time zone $2 as at")
        .bind::<Date, _>(day)
        .bind::<Text, _>(zone)
        .get_result(tx)
        .await?;
    Ok(moment.at)
}

/// The names of all plans, by id.
pub(crate) async fn plan_names(tx: &mut Tx) -> Result<HashMap<Uuid, String>, DbError> {
    let rows: Vec<(Uuid, String)> = subscription_plans::table
        .select((subscription_plans::id, subscription_plans::name))
        .load(tx)
        .await?;
    Ok(rows.into_iter().collect())
}
