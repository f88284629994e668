use crate::analytics::{BuiltUntil, Revenue, Summary};
use chrono::{DateTime, NaiveDate, Utc};
use eyemotion_core::{Credits, Ratio};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Over how many days a report goes, today included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportPeriod {
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
    /// 365 days.
    Year,
}

impl ReportPeriod {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// How many days.
    pub const fn days(self) -> i64 {
        match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
            Self::Year => 365,
        }
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Year => "1y",
        }
    }
}

impl fmt::Display for ReportPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No period has this name.
#[derive(Debug, thiserror::Error)]
#[error("must be 7d, 30d, 90d or 1y")]
pub struct UnknownPeriod;

impl FromStr for ReportPeriod {
    type Err = UnknownPeriod;
    fn from_str(text: &str) -> Result<Self, UnknownPeriod> {
        Self::ALL
            .into_iter()
            .find(|period| period.as_str() == text)
            .ok_or(UnknownPeriod)
    }
}

/// A period's figures, all in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Financial {
    /// Which period.
    pub period: ReportPeriod,
    /// ISO 4217. Currencies are never added up.
    pub currency: String,
    /// In which there are figures.
    pub currencies: Vec<String>,
    /// The time zone whose days these are.
    pub time_zone: String,
    /// Its first day.
    pub first_day: NaiveDate,
    /// Its last day, and until when it is told.
    pub until: BuiltUntil,
    /// The whole of it.
    pub summary: Summary,
    /// Each day.
    pub days: Vec<DayFigures>,
    /// Each plan, and what is sold without one.
    pub plans: Vec<PlanFigures>,
    /// What became of credits.
    pub credits: CreditFigures,
    /// The last payments, newest first.
    pub transactions: Vec<TransactionLine>,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFigures {
    /// In the report's time zone.
    pub day: NaiveDate,
    /// Cash.
    pub revenue: Revenue,
    /// Monthly recurring revenue at its end.
    pub mrr: Ratio,
    /// Who pays at its end.
    pub subscribers: i64,
    /// Who began to pay.
    pub new: i64,
    /// Who came back.
    pub reactivated: i64,
    /// Who left.
    pub churned: i64,
}

/// A plan in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFigures {
    /// Its stable name; none: credits and other things bought once.
    pub plan: Option<String>,
    /// Cash in the period.
    pub revenue: Revenue,
    /// Monthly recurring revenue at the end.
    pub mrr: Ratio,
    /// Who pays for it at the end.
    pub subscribers: i64,
}

/// Monthly recurring revenue of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MrrOfPlan {
    /// Its stable name.
    pub plan: String,
    /// Exact, in minor units.
    pub mrr: Ratio,
    /// Who pays it.
    pub subscribers: i64,
}

/// Credits, as the ledger has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditFigures {
    /// Given out in the period.
    pub issued: Credits,
    /// Spent.
    pub consumed: Credits,
    /// Gone by their time.
    pub expired: Credits,
    /// Taken back with a payment.
    pub revoked: Credits,
    /// What everybody could still spend at the end, less what is owed.
    pub outstanding: Credits,
}

impl CreditFigures {
    /// What share of the credits given out goes by unused; none when none were given.
    pub fn breakage(self) -> Option<Ratio> {
        Ratio::new(self.expired.0, self.issued.0)
    }
}

/// A payment or a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionLine {
    /// Ours.
    pub id: Uuid,
    /// Whose.
    pub user: Uuid,
    /// Tax included.
    pub amount: i64,
    /// Of it, tax.
    pub tax: i64,
    /// What of it went back.
    pub refunded: i64,
    /// ISO 4217.
    pub currency: String,
    /// `pending`, `completed` ...
    pub status: String,
    /// `subscription`, `credit_purchase`, `one_time` or `refund`.
    pub kind: String,
    /// For people.
    pub description: String,
    /// When it was settled.
    pub processed_at: Option<DateTime<Utc>>,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// Those who began to pay in one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// Its first day.
    pub month: NaiveDate,
    /// How many.
    pub size: i64,
    /// What they have paid until now, tax included.
    pub gross: i64,
    /// What of it went back, tax included.
    pub refunded: i64,
    /// From that month to the present one.
    pub months: Vec<CohortMonth>,
}

/// A cohort at the end of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CohortMonth {
    /// Its first day.
    pub month: NaiveDate,
    /// How many still or again pay.
    pub paying: i64,
}

/// What the first page for operators shows of the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessFigures {
    /// The currency of all amounts.
    pub currency: String,
    /// Until when it is told.
    pub until: BuiltUntil,
    /// Net cash of all time.
    pub total_revenue: i64,
    /// Net cash of this calendar month.
    pub monthly_revenue: i64,
    /// Monthly recurring revenue.
    pub mrr: Ratio,
    /// MRR for each who pays; none when nobody does.
    pub arpu: Option<Ratio>,
    /// Live subscriptions.
    pub subscriptions: Vec<PlanSubscriptions>,
}

impl BusinessFigures {
    /// How many are live.
    pub fn total(&self) -> i64 {
        self.subscriptions.iter().map(|plan| plan.live).sum()
    }

    /// How many of them are paid.
    pub fn paid(&self) -> i64 {
        self.subscriptions.iter().map(|plan| plan.paid).sum()
    }

    /// What share is paid; none when there are none.
    pub fn conversion_rate(&self) -> Option<Ratio> {
        Ratio::new(self.paid(), self.total())
    }
}

/// The live subscriptions of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSubscriptions {
    /// The plan's stable name.
    pub plan: String,
    /// How many, trials included.
    pub live: i64,
    /// How many of them bring money.
    pub paid: i64,
}
