//! Arithmetic and nothing else.

use chrono::NaiveDate;
use eyemotion_core::Ratio;

/// Cash, in minor units of one currency. Tax is part of each amount and stands beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revenue {
    /// How many payments came.
    pub payments: i64,
    /// What they brought.
    pub gross: i64,
    /// Of that, tax.
    pub tax: i64,
    /// How many refunds went.
    pub refunds: i64,
    /// What they took.
    pub refunded: i64,
    /// Of that, tax.
    pub refunded_tax: i64,
    /// How many disputes were lost.
    pub disputes: i64,
    /// What they took.
    pub disputed: i64,
    /// Of that, tax.
    pub disputed_tax: i64,
}

impl Revenue {
    /// What is left without tax: payments - refunds - lost disputes.
    pub const fn net(self) -> i64 {
        (self.gross - self.tax)
            - (self.refunded - self.refunded_tax)
            - (self.disputed - self.disputed_tax)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.payments += other.payments;
        self.gross += other.gross;
        self.tax += other.tax;
        self.refunds += other.refunds;
        self.refunded += other.refunded;
        self.refunded_tax += other.refunded_tax;
        self.disputes += other.disputes;
        self.disputed += other.disputed;
        self.disputed_tax += other.disputed_tax;
    }
}

/// What moved monthly recurring revenue, in minor units; all positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movements {
    /// Of people who paid for the first time.
    pub new: Ratio,
    /// Of people who had left and came back.
    pub reactivation: Ratio,
    /// Of people who pay more.
    pub expansion: Ratio,
    /// Of people who pay less.
    pub contraction: Ratio,
    /// Of people who pay no more.
    pub churn: Ratio,
    /// How many are new.
    pub new_subscribers: i64,
    /// How many came back.
    pub reactivated_subscribers: i64,
    /// How many left.
    pub churned_subscribers: i64,
}

impl Movements {
    /// Nothing moved.
    pub const NONE: Self = Self {
        new: Ratio::ZERO,
        reactivation: Ratio::ZERO,
        expansion: Ratio::ZERO,
        contraction: Ratio::ZERO,
        churn: Ratio::ZERO,
        new_subscribers: 0,
        reactivated_subscribers: 0,
        churned_subscribers: 0,
    };

    /// By how much revenue has grown.
    pub fn net(&self) -> Ratio {
        self.new + self.reactivation + self.expansion - self.contraction - self.churn
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.new += other.new;
        self.reactivation += other.reactivation;
        self.expansion += other.expansion;
        self.contraction += other.contraction;
        self.churn += other.churn;
        self.new_subscribers += other.new_subscribers;
        self.reactivated_subscribers += other.reactivated_subscribers;
        self.churned_subscribers += other.churned_subscribers;
    }
}

/// One day of one currency: `end = start + new + reactivation + expansion - contraction - churn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollForward {
    /// The day.
    pub day: NaiveDate,
    /// ISO 4217.
    pub currency: String,
    /// MRR at the end of the day before.
    pub start: Ratio,
    /// What moved it.
    pub movements: Movements,
    /// MRR at the day's end.
    pub end: Ratio,
}

impl RollForward {
    /// Whether it is true, exactly.
    pub fn holds(&self) -> bool {
        self.start + self.movements.net() == self.end
    }
}

/// A period in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many days it has.
    pub days: i64,
    /// Cash.
    pub revenue: Revenue,
    /// Monthly recurring revenue before the first day.
    pub mrr_at_start: Ratio,
    /// Monthly recurring revenue at the end.
    pub mrr: Ratio,
    /// What came between.
    pub movements: Movements,
    /// Who paid before the first day.
    pub subscribers_at_start: i64,
    /// Who pays at the end.
    pub subscribers: i64,
    /// Of those who paid before the first day, who left.
    pub churned_of_start: i64,
    /// Subscriber churn of the last 30 days, whatever the period; none when nobody paid before.
    pub monthly_churn: Option<Ratio>,
    /// What of revenue is left when the service is paid for.
    pub gross_margin: Ratio,
}

impl Summary {
    /// Net cash for each day.
    pub fn average_daily_revenue(&self) -> Ratio {
        Ratio::new(self.revenue.net(), self.days).unwrap_or(Ratio::ZERO)
    }

    /// 12 x MRR.
    pub fn arr(&self) -> Ratio {
        self.mrr * 12
    }

    /// MRR for each who pays; none when nobody does.
    pub fn arpu(&self) -> Option<Ratio> {
        self.mrr.checked_div(Ratio::whole(self.subscribers))
    }

    /// Who left of those who paid at the start. Who came in between counts on neither side.
    pub fn churn_rate(&self) -> Option<Ratio> {
        Ratio::new(self.churned_of_start, self.subscribers_at_start)
    }

    /// (churn + contraction) / MRR at the start.
    pub fn gross_mrr_churn(&self) -> Option<Ratio> {
        (self.movements.churn + self.movements.contraction).checked_div(self.mrr_at_start)
    }

    /// (churn + contraction - expansion) / MRR at the start; below zero when those who stay pay
    /// more than is lost.
    pub fn net_mrr_churn(&self) -> Option<Ratio> {
        let moved = &self.movements;
        (moved.churn + moved.contraction - moved.expansion).checked_div(self.mrr_at_start)
    }

    /// ARPU x gross margin / monthly churn; none when nobody leaves.
    pub fn ltv(&self) -> Option<Ratio> {
        (self.arpu()? * self.gross_margin).checked_div(self.monthly_churn?)
    }
}
