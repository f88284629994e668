//! From rows to reports.

use crate::analytics::{
    AnalyticsService, BusinessFigures, Cohort, CohortMonth, CreditFigures, DayFigures, Financial,
    Movements, MrrOfPlan, PlanFigures, PlanSubscriptions, ReportPeriod, Revenue, RollForward,
    Summary, TransactionLine,
};
use crate::error::BillingError;
use crate::repository::{analytics, cohorts};
use chrono::{Datelike, Days, Months, NaiveDate};
use eyemotion_core::{Credits, Ctx, Ratio};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Over how many days monthly churn is counted.
const CHURN_DAYS: u64 = 30;

/// How many payments a report lists.
const PAYMENTS: i64 = 50;

pub(super) async fn financial(
    service: &AnalyticsService,
    ctx: &Ctx,
    period: ReportPeriod,
    currency: Option<String>,
) -> Result<Financial, BillingError> {
    let currency = service.currency(currency)?;
    let until = service.fresh(ctx).await?;
    let last = until.last_day;
    let days = Days::new(period.days().unsigned_abs() - 1);
    let first = last - days;
    let mut tx = service.db.read(ctx).await?;
    let month = Window::load(&mut tx, &currency, last - Days::new(CHURN_DAYS - 1), last).await?;
    let window = Window::load(&mut tx, &currency, first, last).await?;
    let revenue = analytics::revenue(&mut tx, &currency, first, last).await?;
    let names = analytics::plan_names(&mut tx).await?;
    let accounts = analytics::accounts(&mut tx, first, last).await?;
    let since = analytics::beginning(&mut tx, first, &service.config.time_zone).await?;
    let payments = analytics::payments(&mut tx, &currency, since, PAYMENTS).await?;
    let currencies = analytics::currencies(&mut tx).await?;
    let mut total = Revenue::default();
    for row in &revenue {
        total.add(row.revenue());
    }
    let margin = Ratio::new(service.config.gross_margin_percent, 100_u8).unwrap_or(Ratio::ZERO);
    Ok(Financial {
        period,
        currencies,
        time_zone: service.config.time_zone.clone(),
        first_day: first,
        summary: window.summary(period, total, month.churn_rate(), margin),
        days: window.days(&revenue),
        plans: window.plans(&revenue, &names),
        credits: credits(&accounts),
        transactions: payments.into_iter().map(line).collect(),
        currency,
        until,
    })
}

/// A stretch of days with all that moved recurring revenue.
struct Window {
    first: NaiveDate,
    last: NaiveDate,
    mrr: Vec<analytics::MrrRow>,
    movements: Vec<analytics::MovementRow>,
}

impl Window {
    async fn load(
        tx: &mut eyemotion_db::Tx,
        currency: &str,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Self, BillingError> {
        let before = first - Days::new(1);
        Ok(Self {
            first,
            last,
            mrr: analytics::mrr(tx, currency, before, last).await?,
            movements: analytics::movements(tx, Some(currency), first, last).await?,
        })
    }

    /// MRR and who pays it at a day's end.
    fn at(&self, day: NaiveDate) -> (Ratio, i64) {
        let rows = self.mrr.iter().filter(|row| row.day == day);
        rows.fold((Ratio::ZERO, 0), |(mrr, people), row| {
            (mrr + row.mrr, people + row.subscribers)
        })
    }

    fn churned_of_start(&self) -> i64 {
        let churned = analytics::MovementRow::churned_of_start;
        self.movements.iter().map(churned).sum()
    }

    fn churn_rate(&self) -> Option<Ratio> {
        let (_, at_start) = self.at(self.first - Days::new(1));
        Ratio::new(self.churned_of_start(), at_start)
    }

    fn summary(
        &self,
        period: ReportPeriod,
        revenue: Revenue,
        monthly_churn: Option<Ratio>,
        gross_margin: Ratio,
    ) -> Summary {
        let (mrr_at_start, subscribers_at_start) = self.at(self.first - Days::new(1));
        let (mrr, subscribers) = self.at(self.last);
        let mut movements = Movements::NONE;
        for row in &self.movements {
            movements.add(&row.movements());
        }
        Summary {
            days: period.days(),
            revenue,
            mrr_at_start,
            mrr,
            movements,
            subscribers_at_start,
            subscribers,
            churned_of_start: self.churned_of_start(),
            monthly_churn,
            gross_margin,
        }
    }

    fn days(&self, revenue: &[analytics::RevenueRow]) -> Vec<DayFigures> {
        let empty = |day| DayFigures {
            day,
            revenue: Revenue::default(),
            mrr: Ratio::ZERO,
            subscribers: 0,
            new: 0,
            reactivated: 0,
            churned: 0,
        };
        let all = self
            .first
            .iter_days()
            .take_while(|day| *day <= self.last)
            .map(|day| (day, empty(day)));
        let mut days: BTreeMap<_, _> = all.collect();
        for row in revenue {
            if let Some(day) = days.get_mut(&row.day) {
                day.revenue.add(row.revenue());
            }
        }
        for row in &self.mrr {
            if let Some(day) = days.get_mut(&row.day) {
                day.mrr += row.mrr;
                day.subscribers += row.subscribers;
            }
        }
        for row in &self.movements {
            if let Some(day) = days.get_mut(&row.day) {
                let moved = row.movements();
                day.new += moved.new_subscribers;
                day.reactivated += moved.reactivated_subscribers;
                day.churned += moved.churned_subscribers;
            }
        }
        days.into_values().collect()
    }

    /// By name, for a plan may be sold by the month and by the year. What is sold without one
    /// comes last.
    fn plans(
        &self,
        revenue: &[analytics::RevenueRow],
        names: &HashMap<Uuid, String>,
    ) -> Vec<PlanFigures> {
        let mut plans: BTreeMap<(bool, Option<&str>), PlanFigures> = BTreeMap::new();
        let mut change = |id: Option<Uuid>, change: &mut dyn FnMut(&mut PlanFigures)| {
            let plan = id.and_then(|id| names.get(&id)).map(String::as_str);
            let figures = plans
                .entry((plan.is_none(), plan))
                .or_insert_with(|| PlanFigures {
                    plan: plan.map(ToOwned::to_owned),
                    revenue: Revenue::default(),
                    mrr: Ratio::ZERO,
                    subscribers: 0,
                });
            change(figures);
        };
        for row in revenue {
            change(row.plan_id, &mut |plan| plan.revenue.add(row.revenue()));
        }
        for row in self.mrr.iter().filter(|row| row.day == self.last) {
            change(Some(row.plan), &mut |plan| {
                plan.mrr += row.mrr;
                plan.subscribers += row.subscribers;
            });
        }
        plans.into_values().collect()
    }
}

/// The platform's accounts take in what people give: what is issued has left them.
fn credits(accounts: &[analytics::AccountRow]) -> CreditFigures {
    let within = |name: &str| {
        let account = accounts.iter().find(|row| row.account == name);
        account.map_or(0, |row| row.within)
    };
    CreditFigures {
        issued: Credits(-within("issued")),
        consumed: Credits(within("consumed")),
        expired: Credits(within("expired")),
        revoked: Credits(within("revoked")),
        outstanding: Credits(-accounts.iter().map(|row| row.until).sum::<i64>()),
    }
}

fn line(row: analytics::PaymentRow) -> TransactionLine {
    TransactionLine {
        id: row.id,
        user: row.user_id,
        amount: row.amount,
        tax: row.tax_amount,
        refunded: row.refunded_amount,
        currency: row.currency,
        status: row.status,
        kind: row.transaction_type,
        description: row.description,
        processed_at: row.processed_at,
        created_at: row.created_at,
    }
}

pub(super) async fn business(
    service: &AnalyticsService,
    ctx: &Ctx,
) -> Result<BusinessFigures, BillingError> {
    let currency = service.currency(None)?;
    let until = service.fresh(ctx).await?;
    let today = until.last_day;
    let month = today.with_day(1).unwrap_or(today);
    let mut tx = service.db.read(ctx).await?;
    let total_revenue = analytics::net_since(&mut tx, &currency, None).await?;
    let monthly_revenue = analytics::net_since(&mut tx, &currency, Some(month)).await?;
    let live = analytics::live(&mut tx).await?;
    let rows = analytics::mrr(&mut tx, &currency, today, today).await?;
    let subscribers: i64 = rows.iter().map(|row| row.subscribers).sum();
    let mrr = rows.iter().fold(Ratio::ZERO, |sum, row| sum + row.mrr);
    let plan = |row: analytics::LiveRow| PlanSubscriptions {
        plan: row.plan,
        live: row.live,
        paid: row.paid,
    };
    Ok(BusinessFigures {
        currency,
        until,
        total_revenue,
        monthly_revenue,
        mrr,
        arpu: mrr.checked_div(Ratio::whole(subscribers)),
        subscriptions: live.into_iter().map(plan).collect(),
    })
}

pub(super) async fn mrr(
    service: &AnalyticsService,
    ctx: &Ctx,
    day: NaiveDate,
    currency: &str,
) -> Result<Vec<MrrOfPlan>, BillingError> {
    let mut tx = service.db.read(ctx).await?;
    let window = Window {
        first: day,
        last: day,
        mrr: analytics::mrr(&mut tx, currency, day, day).await?,
        movements: Vec::new(),
    };
    let names = analytics::plan_names(&mut tx).await?;
    let plan = |figures: PlanFigures| {
        Some(MrrOfPlan {
            plan: figures.plan?,
            mrr: figures.mrr,
            subscribers: figures.subscribers,
        })
    };
    let plans = window.plans(&[], &names);
    Ok(plans.into_iter().filter_map(plan).collect())
}

pub(super) async fn cohorts(
    service: &AnalyticsService,
    ctx: &Ctx,
    currency: Option<String>,
) -> Result<Vec<Cohort>, BillingError> {
    let currency = service.currency(currency)?;
    let today = service.fresh(ctx).await?.last_day;
    let mut tx = service.db.read(ctx).await?;
    let rows = cohorts::retention(&mut tx, &currency).await?;
    let cash = cohorts::cash(&mut tx, &currency).await?;
    let cash: HashMap<_, _> = cash.into_iter().map(|row| (row.cohort, row)).collect();
    let mut changes: BTreeMap<NaiveDate, BTreeMap<NaiveDate, (i64, i64)>> = BTreeMap::new();
    for row in rows {
        let months = changes.entry(row.cohort).or_default();
        months.insert(row.month, (row.paying, row.began));
    }
    let cohort = |(month, changes): (NaiveDate, BTreeMap<NaiveDate, (i64, i64)>)| {
        let mut paying = 0;
        let months = (0..)
            .map_while(|later| month.checked_add_months(Months::new(later)))
            .take_while(|month| *month <= today)
            .map(|month| {
                paying = changes.get(&month).map_or(paying, |(paying, _)| *paying);
                CohortMonth { month, paying }
            });
        Cohort {
            month,
            months: months.collect(),
            size: changes.values().map(|(_, began)| began).sum(),
            gross: cash.get(&month).map_or(0, |row| row.gross),
            refunded: cash.get(&month).map_or(0, |row| row.refunded),
        }
    };
    Ok(changes.into_iter().map(cohort).collect())
}

pub(super) async fn roll_forward(
    service: &AnalyticsService,
    ctx: &Ctx,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<RollForward>, BillingError> {
    let mut tx = service.db.read(ctx).await?;
    let totals = analytics::totals(&mut tx, from - Days::new(1), to).await?;
    let movements = analytics::movements(&mut tx, None, from, to).await?;
    let mut days: BTreeMap<(NaiveDate, String), RollForward> = BTreeMap::new();
    let mut change = |day: NaiveDate, currency: &str, change: &mut dyn FnMut(&mut RollForward)| {
        if day < from || day > to {
            return;
        }
        let key = (day, currency.to_owned());
        let empty = || RollForward {
            day,
            currency: currency.to_owned(),
            start: Ratio::ZERO,
            movements: Movements::NONE,
            end: Ratio::ZERO,
        };
        change(days.entry(key).or_insert_with(empty));
    };
    for row in &totals {
        change(row.day, &row.currency, &mut |day| day.end += row.mrr());
        let next = row.day + Days::new(1);
        change(next, &row.currency, &mut |day| day.start += row.mrr());
    }
    for row in &movements {
        change(row.day, &row.currency, &mut |day| {
            day.movements.add(&row.movements());
        });
    }
    Ok(days.into_values().collect())
}
