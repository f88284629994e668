use crate::converge::ConvergeError;
use crate::stripe::StripeError;
use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use eyemotion_db::idempotency::IdempotencyError;
use eyemotion_ports::LedgerError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why somebody cannot pay, or change what they pay for.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// The method needs somebody who has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// There is no key of Stripe's.
    #[error("payments are not set up on this server; the free plan works without")]
    NotConfigured,
    /// A second paid subscription would be paid twice.
    #[error("there is a paid subscription already: change its plan instead")]
    SubscriptionExists,
    /// Nothing is paid for.
    #[error("there is no paid subscription")]
    SubscriptionNotFound,
    /// It is too late to take the cancellation back.
    #[error("the subscription has ended; choose a plan anew")]
    SubscriptionEnded,
    /// It is the plan already.
    #[error("the subscription has this plan already")]
    PlanUnchanged,
    /// No page of the caller's has this id.
    #[error("there is no such checkout")]
    CheckoutNotFound,
    /// No code of this name can be used.
    #[error("there is no such promotion code, or it can no longer be used")]
    PromotionCodeNotFound,
    /// The owner has to confirm the payment first; until then nothing changes.
    #[error("the payment has to be confirmed by the card's owner; the plan changes then")]
    ConfirmationNeeded {
        /// What Stripe.js confirms it with.
        client_secret: Option<String>,
        /// A page of Stripe's on which it can be confirmed instead.
        invoice_url: Option<String>,
    },
    /// What was paid and what was ordered do not agree, or not yet.
    #[error("the payment is still being looked into")]
    Unsettled(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stripe refused or does not answer.
    #[error("{}", shown(.0))]
    Stripe(#[source] StripeError),
    /// The ledger refused.
    #[error(transparent)]
    Ledger(LedgerError),
    /// The `Idempotency-Key` stands in the way.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl PaymentError {
    pub(crate) fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, code, detail)])
    }
}

/// Stripe's words about a card are written for its owner; all others are for us.
fn shown(error: &StripeError) -> &str {
    match error {
        StripeError::Api { message, .. } if error.is_card_error() => message,
        _ => match error.code() {
            ErrorCode::PaymentRefused => "the payment service does not allow this",
            ErrorCode::BillingNotConfigured => "payments are not set up on this server",
            _ => "the payment service does not answer; try again with the same values",
        },
    }
}

impl From<StripeError> for PaymentError {
    fn from(error: StripeError) -> Self {
        Self::Stripe(error)
    }
}

impl From<ConvergeError> for PaymentError {
    fn from(error: ConvergeError) -> Self {
        match error {
            ConvergeError::Stripe(error) => Self::Stripe(error),
            ConvergeError::Db(error) => Self::Db(error),
            ConvergeError::Ledger(error) => Self::Ledger(error),
            other => Self::Unsettled(other.into()),
        }
    }
}

impl Coded for PaymentError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::NotConfigured => ErrorCode::BillingNotConfigured,
            Self::SubscriptionExists => ErrorCode::SubscriptionExists,
            Self::SubscriptionNotFound => ErrorCode::SubscriptionNotFound,
            Self::SubscriptionEnded => ErrorCode::SubscriptionEnded,
            Self::PlanUnchanged => ErrorCode::PlanUnchanged,
            Self::CheckoutNotFound => ErrorCode::CheckoutNotFound,
            Self::PromotionCodeNotFound => ErrorCode::PromotionCodeNotFound,
            Self::ConfirmationNeeded { .. } => ErrorCode::PaymentConfirmationNeeded,
            Self::Unsettled(_) => ErrorCode::PaymentRefused,
            Self::Stripe(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Idempotency(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            _ => Vec::new(),
        }
    }

    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::ConfirmationNeeded {
                client_secret,
                invoice_url,
            } => json!({ "clientSecret": client_secret, "invoiceUrl": invoice_url }),
            Self::Ledger(error) => return error.members(),
            _ => return Map::new(),
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Stripe(error) => error.retry_after(),
            Self::Idempotency(error) => error.retry_after(),
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}
