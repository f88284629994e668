use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Money};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! names {
    ($(#[$doc:meta])* $vis:vis $type:ident: $($(#[$each:meta])* $variant:ident = $name:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $type { $($(#[$each])* $variant,)* }

        impl $type {
            /// The name in the database and on the wire.
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl FromStr for $type {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(UnknownName(text.to_owned())),
                }
            }
        }
    };
}

/// The database holds a name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown name {0:?}")]
pub struct UnknownName(String);

names! {
    /// How often a plan is paid.
    pub BillingInterval:
    /// Each month.
    Month = "month",
    /// Each year.
    Year = "year",
}

names! {
    /// Where a subscription stands; Stripe's words, where it has them
    /// (docs.stripe.com/billing/subscriptions/overview).
    pub SubscriptionStatus:
    /// Paid, or free.
    Active = "active",
    /// Being tried.
    Trialing = "trialing",
    /// A payment failed and is tried again.
    PastDue = "past_due",
    /// The first payment is still to come: the plan before it goes on.
    Incomplete = "incomplete",
    /// Ended.
    Cancelled = "cancelled",
}

impl SubscriptionStatus {
    /// Those that give a plan; a person has at most one.
    pub const LIVE: [Self; 3] = [Self::Active, Self::Trialing, Self::PastDue];
}

names! {
    /// What credits are; declared in the order in which they are spent among equal expiries.
    pub(crate) LotKind:
    /// Part of the plan, for one period.
    Included = "included",
    /// Part of a trial.
    Trial = "trial",
    /// A present.
    Bonus = "bonus",
    /// Given by an operator.
    Adjustment = "adjustment",
    /// Bought: spent last.
    Purchased = "purchased",
}

names! {
    /// Where an order stands.
    pub OrderStatus:
    /// Written down; Stripe may know of it.
    Created = "created",
    /// Its page is open.
    Open = "open",
    /// The bank is at work.
    Processing = "processing",
    /// Paid.
    Paid = "paid",
    /// Nothing came of it.
    Failed = "failed",
    /// Nobody paid in time.
    Expired = "expired",
}

names! {
    /// Where a payment stands.
    pub PaymentStatus:
    /// Under way.
    Pending = "pending",
    /// Paid.
    Completed = "completed",
    /// Not paid.
    Failed = "failed",
    /// Paid back in full.
    Refunded = "refunded",
    /// Called off.
    Cancelled = "cancelled",
}

names! {
    /// What a payment was for.
    pub PaymentKind:
    /// A period of a plan.
    Subscription = "subscription",
    /// Credits.
    CreditPurchase = "credit_purchase",
    /// Anything else.
    OneTime = "one_time",
    /// Money that went back.
    Refund = "refund",
}

impl OrderStatus {
    /// Every one there is.
    pub const ALL: &'static [Self] = &[
        Self::Created,
        Self::Open,
        Self::Processing,
        Self::Paid,
        Self::Failed,
        Self::Expired,
    ];
}

impl PaymentStatus {
    /// Every one there is.
    pub const ALL: &'static [Self] = &[
        Self::Pending,
        Self::Completed,
        Self::Failed,
        Self::Refunded,
        Self::Cancelled,
    ];
}

impl PaymentKind {
    /// Every one there is.
    pub const ALL: &'static [Self] = &[
        Self::Subscription,
        Self::CreditPurchase,
        Self::OneTime,
        Self::Refund,
    ];
}

/// What can be subscribed to.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its id.
    pub id: Uuid,
    /// The stable name: `freemium`, `creator` ...
    pub name: String,
    /// The name for people.
    pub display_name: String,
    /// One sentence.
    pub description: String,
    /// For one interval.
    pub price: Money,
    /// How often it is paid.
    pub interval: BillingInterval,
    /// Credits for each period; what is left of them ends with it.
    pub credits_included: Credits,
    /// Room for files in GB, each of 2^30 bytes as the storage counts them.
    pub storage_gb: i32,
    /// Stable names of what it unlocks.
    pub features: Vec<String>,
}

impl Plan {
    /// Room for files in bytes. The price list says GB and means GiB, as its upload prices do: the
    /// customer gets the larger one.
    pub fn storage_bytes(&self) -> i64 {
        i64::from(self.storage_gb) << 30
    }
}

/// A person's live subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionOverview {
    /// Its id.
    pub id: Uuid,
    /// What it is a subscription to.
    pub plan: Plan,
    /// Where it stands; one of [`SubscriptionStatus::LIVE`].
    pub status: SubscriptionStatus,
    /// Start of the present period.
    pub current_period_start: DateTime<Utc>,
    /// End of the present period.
    pub current_period_end: DateTime<Utc>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When its trial ends or ended.
    pub trial_end: Option<DateTime<Utc>>,
    /// What came with the plan in this period.
    pub credits_included: Credits,
    /// What of that is spent.
    pub credits_used: Credits,
    /// What is left of bought and given credits.
    pub extra_credits: Credits,
    /// What can be spent now.
    pub credits_remaining: Credits,
    /// Bytes in use.
    pub storage_used: i64,
    /// Bytes that may be used.
    pub storage_limit: i64,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// A person's credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditsOverview {
    /// What can be spent now.
    pub balance: Credits,
    /// What came with the plan in this period.
    pub included: Credits,
    /// What of that is spent.
    pub used: Credits,
    /// What is left of bought and given credits.
    pub extra: Credits,
    /// What is set aside for work under way.
    pub held: Credits,
    /// When what is left of the included ones ends and new ones come.
    pub resets_at: Option<DateTime<Utc>>,
}

/// One time that credits were spent.
#[derive(Clone, Debug, PartialEq)]
pub struct CreditUsage {
    /// The ledger transaction.
    pub id: Uuid,
    /// How many.
    pub credits: Credits,
    /// On what: `file_upload` ...
    pub action: String,
    /// On which sort of thing.
    pub resource_type: Option<String>,
    /// On which of these.
    pub resource_id: Option<String>,
    /// The subscription at that time.
    pub subscription_id: Option<Uuid>,
    /// Further facts: an object, with `balanceAfter`.
    pub details: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

names! {
    /// What an action's price counts.
    pub PriceUnit:
    /// 2^30 bytes.
    Gib = "gib",
    /// One of them.
    Item = "item",
    /// 60 seconds.
    Minute = "minute",
}

impl PriceUnit {
    /// How many bytes, items or seconds it is.
    pub const fn size(self) -> u64 {
        match self {
            Self::Gib => 1 << 30,
            Self::Item => 1,
            Self::Minute => 60,
        }
    }
}

/// What an action costs for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionPrice {
    /// Its id, which each spending keeps.
    pub id: Uuid,
    /// `file_upload` ...
    pub action: String,
    /// What is counted.
    pub unit: PriceUnit,
    /// For each unit; started ones count in proportion, and the sum is rounded up.
    pub credits_per_unit: Credits,
    /// At least.
    pub min: Credits,
    /// From when on.
    pub valid_from: DateTime<Utc>,
    /// Until when, the end excluded; none: for ever.
    pub valid_to: Option<DateTime<Utc>>,
}

impl ActionPrice {
    /// The price of so many bytes, items or seconds.
    pub fn of(&self, quantity: u64) -> Credits {
        let per_unit = i128::from(self.credits_per_unit.0);
        let size = i128::from(self.unit.size());
        let whole = i128::from(quantity).saturating_mul(per_unit);
        // Neither is negative.
        let credits = whole.saturating_add(size - 1) / size;
        let credits = i64::try_from(credits).unwrap_or(i64::MAX);
        Credits(credits.max(self.min.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_started_tenth_of_a_gib_costs_one_credit() {
        const GIB: u64 = 1 << 30;
        let price = ActionPrice {
            id: Uuid::nil(),
            action: "file_upload".to_owned(),
            unit: PriceUnit::Gib,
            credits_per_unit: Credits(10),
            min: Credits(1),
            valid_from: DateTime::UNIX_EPOCH,
            valid_to: None,
        };
        for (size, credits) in [
            (0, 1),
            (1, 1),
            (GIB / 10, 1),
            (GIB / 10 + 1, 2),
            (GIB, 10),
            (GIB + 1, 11),
            (10 * GIB, 100),
            (u64::MAX, 171_798_691_840),
        ] {
            assert_eq!(price.of(size), Credits(credits), "{size}");
        }
        let free = ActionPrice {
            credits_per_unit: Credits(0),
            min: Credits(0),
            ..price
        };
        assert_eq!(free.of(u64::MAX), Credits(0));
    }
}
