use super::{Expandable, Metadata, Reference, moment, nullable};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// docs.stripe.com/api/payment_intents/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PaymentIntent {
    pub id: String,
    /// `succeeded`, `processing`, `requires_action`, `requires_payment_method`, `canceled` ...
    pub status: String,
    pub customer: Option<Reference>,
    pub latest_charge: Option<Expandable<Charge>>,
    pub last_payment_error: Option<PaymentError>,
    #[serde(default, deserialize_with = "nullable")]
    pub metadata: Metadata,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PaymentError {
    pub message: Option<String>,
}

/// docs.stripe.com/api/charges/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Charge {
    pub id: String,
    pub customer: Option<Reference>,
    pub payment_intent: Option<Reference>,
    pub receipt_url: Option<String>,
    pub payment_method_details: Option<PaymentMethodDetails>,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PaymentMethodDetails {
    pub card: Option<Card>,
}

/// What a page shows of a card, and by what it is known again.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Card {
    pub brand: Option<String>,
    pub last4: Option<String>,
    pub exp_month: Option<i64>,
    pub exp_year: Option<i64>,
}

/// docs.stripe.com/api/refunds/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Refund {
    pub id: String,
    pub amount: i64,
    pub currency: String,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    pub status: Option<String>,
    pub charge: Option<Reference>,
    pub payment_intent: Option<Reference>,
    pub reason: Option<String>,
    pub failure_reason: Option<String>,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
}

/// docs.stripe.com/api/disputes/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dispute {
    pub id: String,
    pub charge: Reference,
    pub payment_intent: Option<Reference>,
    pub amount: i64,
    pub currency: String,
    /// `needs_response`, `under_review`, `won`, `lost`, `warning_needs_response` ...
    pub status: String,
    #[serde(default)]
    pub reason: String,
    pub evidence_details: Option<EvidenceDetails>,
    /// Money that was withdrawn (below zero) and reinstated (above).
    #[serde(default, deserialize_with = "nullable")]
    pub balance_transactions: Vec<Movement>,
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EvidenceDetails {
    #[serde(default, deserialize_with = "moment::deserialize")]
    pub due_by: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Movement {
    pub amount: i64,
}

/// docs.stripe.com/api/radar/early_fraud_warnings/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EarlyFraudWarning {
    pub id: String,
    pub charge: Reference,
    /// False when the payment has been refunded in full or disputed since.
    pub actionable: bool,
    #[serde(default)]
    pub fraud_type: String,
}

/// docs.stripe.com/api/radar/reviews/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Review {
    pub id: String,
    pub charge: Option<Reference>,
    pub payment_intent: Option<Reference>,
    pub open: bool,
    #[serde(default)]
    pub reason: String,
    pub closed_reason: Option<String>,
}

/// docs.stripe.com/api/customers/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Customer {
    pub id: String,
    #[serde(default)]
    pub deleted: bool,
    pub invoice_settings: Option<InvoiceSettings>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InvoiceSettings {
    pub default_payment_method: Option<Reference>,
}

/// docs.stripe.com/api/payment_methods/object
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PaymentMethod {
    pub card: Option<Card>,
}
