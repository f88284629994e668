use super::catalogue::{Discount, Price};
use super::payment::PaymentIntent;
use super::{Expandable, List, Metadata, Reference, moment, nullable};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// docs.stripe.com/api/checkout/sessions/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CheckoutSession {
    pub id: String,
    /// `payment` or `subscription`.
    pub mode: String,
    /// `open`, `complete` or `expired`.
    pub status: Option<String>,
    /// `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: String,
    /// Tax included.
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
    pub customer: Option<Reference>,
    pub subscription: Option<Reference>,
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    pub url: Option<String>,
    pub total_details: Option<TotalDetails>,
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: Metadata,
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub created: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TotalDetails {
    #[serde(default)]
    pub amount_tax: i64,
}

/// docs.stripe.com/api/subscriptions/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Subscription {
    pub id: String,
    pub customer: Reference,
    /// `active`, `trialing`, `past_due`, `incomplete`, `incomplete_expired`, `canceled`, `unpaid`
    /// or `paused`.
    pub status: String,
    #[serde(default, deserialize_with = "nullable")]
    pub items: List<SubscriptionItem>,
    #[serde(default)]
    pub cancel_at_period_end: bool,
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub canceled_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub trial_start: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub trial_end: Option<DateTime<Utc>>,
    pub latest_invoice: Option<Expandable<Invoice>>,
    pub schedule: Option<Expandable<SubscriptionSchedule>>,
    #[serde(default, deserialize_with = "nullable")]
    pub discounts: Vec<Expandable<Discount>>,
    /// A change that waits for its payment.
    pub pending_update: Option<PendingUpdate>,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SubscriptionItem {
    pub id: String,
    pub price: Price,
    #[serde(default = "one")]
    pub quantity: i64,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub current_period_start: DateTime<Utc>,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub current_period_end: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PendingUpdate {}

const fn one() -> i64 {
    1
}

/// docs.stripe.com/api/subscription_schedules/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SubscriptionSchedule {
    pub id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub phases: Vec<SchedulePhase>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SchedulePhase {
    #[serde(with = "chrono::serde::ts_seconds")]
    pub start_date: DateTime<Utc>,
    #[serde(default, deserialize_with = "nullable")]
    pub items: Vec<PhaseItem>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PhaseItem {
    pub price: Reference,
}

/// docs.stripe.com/api/invoices/object
#[expect(clippy::struct_field_names, reason = "Stripe's own names")]
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Invoice {
    /// A preview has none that could be asked for.
    #[serde(default)]
    pub id: String,
    pub customer: Option<Reference>,
    /// `draft`, `open`, `paid`, `uncollectible` or `void`.
    pub status: Option<String>,
    /// `subscription_create`, `subscription_cycle`, `subscription_update` ...
    pub billing_reason: Option<String>,
    pub currency: String,
    #[serde(default)]
    pub amount_due: i64,
    #[serde(default)]
    pub amount_paid: i64,
    #[serde(default)]
    pub total: i64,
    #[serde(default, deserialize_with = "nullable")]
    pub total_taxes: Vec<Tax>,
    #[serde(default, deserialize_with = "nullable")]
    pub lines: List<InvoiceLine>,
    pub parent: Option<InvoiceParent>,
    #[serde(default, deserialize_with = "nullable")]
    pub payments: List<InvoicePayment>,
    pub confirmation_secret: Option<ConfirmationSecret>,
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub status_transitions: StatusTransitions,
    #[serde(default)]
    pub attempt_count: i64,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
}

impl Invoice {
    /// The subscription that it is for.
    pub(crate) fn subscription(&self) -> Option<&str> {
        let details = self.parent.as_ref()?.subscription_details.as_ref()?;
        Some(details.subscription.0.as_str())
    }

    /// The tax that is part of the total.
    pub(crate) fn tax(&self) -> i64 {
        self.total_taxes.iter().map(|tax| tax.amount).sum()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tax {
    pub amount: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InvoiceParent {
    pub subscription_details: Option<SubscriptionDetails>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SubscriptionDetails {
    pub subscription: Reference,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct StatusTransitions {
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub paid_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ConfirmationSecret {
    pub client_secret: String,
}

/// docs.stripe.com/api/invoice-line-item/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InvoiceLine {
    pub amount: i64,
    pub description: Option<String>,
    pub period: LinePeriod,
    pub pricing: Option<LinePricing>,
    pub parent: Option<LineParent>,
}

impl InvoiceLine {
    /// The price that it charges for.
    pub(crate) fn price(&self) -> Option<&str> {
        let details = self.pricing.as_ref()?.price_details.as_ref()?;
        Some(details.price.0.as_str())
    }

    /// Whether it is for a part of a period, because something changed in its middle.
    pub(crate) fn is_proration(&self) -> bool {
        let details = self
            .parent
            .as_ref()
            .and_then(|parent| parent.subscription_item_details.as_ref());
        details.is_some_and(|details| details.proration)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LinePeriod {
    #[serde(with = "chrono::serde::ts_seconds")]
    pub start: DateTime<Utc>,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub end: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LinePricing {
    pub price_details: Option<PriceDetails>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PriceDetails {
    pub price: Reference,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LineParent {
    pub subscription_item_details: Option<ItemDetails>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ItemDetails {
    #[serde(default)]
    pub proration: bool,
}

/// docs.stripe.com/api/invoice-payment/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InvoicePayment {
    pub invoice: Option<Reference>,
    /// `open`, `paid` or `canceled`.
    pub status: String,
    pub payment: PaymentOfInvoice,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PaymentOfInvoice {
    pub payment_intent: Option<Reference>,
}
