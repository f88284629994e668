use crate::wire::{Timestamp, rate};
use chrono::NaiveDate;
use eyemotion_billing::{
    CreditFigures, DayFigures, Financial, Movements, PlanFigures, Revenue, Summary, TransactionLine,
};
use eyemotion_core::Ratio;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The money of a period. Amounts are minor units of `currency` (satang for THB), rounded half away
/// from zero where they are parts; rates are shares of one, to six decimals.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnalyticsView {
    summary: SummaryView,
    /// Each day of the period.
    daily_revenue: Vec<DailyRevenueView>,
    /// Each day of the period.
    subscription_growth: Vec<GrowthView>,
    revenue_by_plan: Vec<PlanRevenueView>,
    credits: CreditFiguresView,
    /// The last 50 payments and refunds that began in the period, newest first.
    transactions: Vec<TransactionView>,
    /// In which there are figures. They are never added up: ask for each.
    currencies: Vec<String>,
}

/// The whole period.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryView {
    #[schema(example = "30d")]
    period: &'static str,
    #[schema(example = "THB")]
    currency: String,
    /// Whose days these are.
    #[schema(example = "Asia/Bangkok")]
    time_zone: String,
    first_day: NaiveDate,
    last_day: NaiveDate,
    /// Until when it is told; never older than a minute.
    as_of: Timestamp,
    /// Payments - refunds - lost disputes, without tax.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total_revenue: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    avg_daily_revenue: i64,
    cash: CashView,
    /// Monthly recurring revenue at the end.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    mrr: i64,
    /// The same before the first day.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    mrr_at_start: i64,
    /// 12 x MRR.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    arr: i64,
    /// MRR for each who pays; null when nobody does.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    arpu: Option<i64>,
    /// ARPU x gross margin / churn of the last 30 days; null when nobody left.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    ltv: Option<i64>,
    /// Who pays at the end.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    paying_subscribers: i64,
    /// Who paid before the first day.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    subscribers_at_start: i64,
    /// What share of those who paid before the first day has left; null when nobody did.
    churn_rate: Option<f64>,
    /// (churn + contraction) / MRR at the start.
    gross_mrr_churn_rate: Option<f64>,
    /// (churn + contraction - expansion) / MRR at the start.
    net_mrr_churn_rate: Option<f64>,
    mrr_movements: MovementsView,
}

/// Cash, tax included; the tax in each amount stands beside it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashView {
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    payments: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    gross: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    tax: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    refunded: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    refunded_tax: i64,
    /// Disputes that were lost.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    disputed: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    disputed_tax: i64,
}

/// What moved monthly recurring revenue:
/// `mrr = mrrAtStart + new + reactivation + expansion - contraction - churn`.
#[derive(Serialize, ToSchema)]
pub(super) struct MovementsView {
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    new: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    reactivation: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    expansion: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    contraction: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    churn: i64,
}

/// Cash of a day.
#[derive(Serialize, ToSchema)]
pub(super) struct DailyRevenueView {
    date: NaiveDate,
    /// Payments - refunds - lost disputes, without tax; below zero on bad days.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    revenue: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    gross: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    tax: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    refunded: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    disputed: i64,
}

/// Who pays, and who came and went on a day.
#[derive(Serialize, ToSchema)]
pub(super) struct GrowthView {
    date: NaiveDate,
    /// At the day's end.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    new: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    reactivated: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    churned: i64,
    /// At the day's end.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    mrr: i64,
}

/// What a plan brought.
#[derive(Serialize, ToSchema)]
pub(super) struct PlanRevenueView {
    /// Null: credits and other things bought once.
    plan: Option<String>,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    revenue: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    mrr: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    subscribers: i64,
}

/// What became of credits in the period.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreditFiguresView {
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    issued: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    consumed: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    expired: i64,
    /// Taken back with a payment.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    revoked: i64,
    /// What everybody could still spend at the end, less what is owed.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    outstanding: i64,
    /// expired / issued; null when none were issued.
    breakage_rate: Option<f64>,
}

/// A payment or a refund.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionView {
    id: Uuid,
    user_id: Uuid,
    /// Tax included.
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    amount: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    tax: i64,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    refunded: i64,
    currency: String,
    #[schema(example = "completed")]
    status: String,
    #[schema(example = "subscription")]
    transaction_type: String,
    description: String,
    processed_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<Financial> for AnalyticsView {
    fn from(it: Financial) -> Self {
        Self {
            daily_revenue: it.days.iter().map(DailyRevenueView::from).collect(),
            subscription_growth: it.days.iter().map(GrowthView::from).collect(),
            revenue_by_plan: it
                .plans
                .iter()
                .cloned()
                .map(PlanRevenueView::from)
                .collect(),
            credits: it.credits.into(),
            transactions: it
                .transactions
                .iter()
                .cloned()
                .map(TransactionView::from)
                .collect(),
            currencies: it.currencies.clone(),
            summary: it.into(),
        }
    }
}

impl From<Financial> for SummaryView {
    fn from(it: Financial) -> Self {
        let sum: &Summary = &it.summary;
        Self {
            period: it.period.as_str(),
            total_revenue: sum.revenue.net(),
            avg_daily_revenue: sum.average_daily_revenue().round(),
            cash: sum.revenue.into(),
            mrr: sum.mrr.round(),
            mrr_at_start: sum.mrr_at_start.round(),
            arr: sum.arr().round(),
            arpu: sum.arpu().map(Ratio::round),
            ltv: sum.ltv().map(Ratio::round),
            paying_subscribers: sum.subscribers,
            subscribers_at_start: sum.subscribers_at_start,
            churn_rate: sum.churn_rate().map(rate),
            gross_mrr_churn_rate: sum.gross_mrr_churn().map(rate),
            net_mrr_churn_rate: sum.net_mrr_churn().map(rate),
            mrr_movements: sum.movements.into(),
            currency: it.currency,
            time_zone: it.time_zone,
            first_day: it.first_day,
            last_day: it.until.last_day,
            as_of: it.until.as_of.into(),
        }
    }
}

impl From<Revenue> for CashView {
    fn from(it: Revenue) -> Self {
        Self {
            payments: it.payments,
            gross: it.gross,
            tax: it.tax,
            refunded: it.refunded,
            refunded_tax: it.refunded_tax,
            disputed: it.disputed,
            disputed_tax: it.disputed_tax,
        }
    }
}

impl From<Movements> for MovementsView {
    fn from(it: Movements) -> Self {
        Self {
            new: it.new.round(),
            reactivation: it.reactivation.round(),
            expansion: it.expansion.round(),
            contraction: it.contraction.round(),
            churn: it.churn.round(),
        }
    }
}

impl From<&DayFigures> for DailyRevenueView {
    fn from(it: &DayFigures) -> Self {
        Self {
            date: it.day,
            revenue: it.revenue.net(),
            gross: it.revenue.gross,
            tax: it.revenue.tax,
            refunded: it.revenue.refunded,
            disputed: it.revenue.disputed,
        }
    }
}

impl From<&DayFigures> for GrowthView {
    fn from(it: &DayFigures) -> Self {
        Self {
            date: it.day,
            total: it.subscribers,
            new: it.new,
            reactivated: it.reactivated,
            churned: it.churned,
            mrr: it.mrr.round(),
        }
    }
}

impl From<PlanFigures> for PlanRevenueView {
    fn from(it: PlanFigures) -> Self {
        Self {
            plan: it.plan,
            revenue: it.revenue.net(),
            mrr: it.mrr.round(),
            subscribers: it.subscribers,
        }
    }
}

impl From<CreditFigures> for CreditFiguresView {
    fn from(it: CreditFigures) -> Self {
        Self {
            issued: it.issued.0,
            consumed: it.consumed.0,
            expired: it.expired.0,
            revoked: it.revoked.0,
            outstanding: it.outstanding.0,
            breakage_rate: it.breakage().map(rate),
        }
    }
}

impl From<TransactionLine> for TransactionView {
    fn from(it: TransactionLine) -> Self {
        Self {
            id: it.id,
            user_id: it.user,
            amount: it.amount,
            tax: it.tax,
            refunded: it.refunded,
            currency: it.currency,
            status: it.status,
            transaction_type: it.kind,
            description: it.description,
            processed_at: it.processed_at.map(Timestamp),
            created_at: it.created_at.into(),
        }
    }
}
