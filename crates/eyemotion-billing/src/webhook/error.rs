use crate::stripe::StripeError;
use eyemotion_core::{Coded, ErrorCode};
use eyemotion_db::DbError;
use std::time::Duration;

/// Why a webhook was not taken, or an operator's wish about events refused.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no key, or no signing secret.
    #[error("payments are not configured: set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET")]
    NotConfigured,
    /// Not Stripe's word, or an old one.
    #[error("the signature is not valid")]
    InvalidSignature,
    /// Of test mode where live is, or the other way round.
    #[error("the event is of the other mode: test instead of live, or live instead of test")]
    WrongMode,
    /// Longer than [`super::MAX_BODY`].
    #[error("the event is too large")]
    TooLarge,
    /// The method is the operators'.
    #[error("only an admin may do this")]
    Forbidden,
    /// Stripe refused, or does not answer.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for WebhookError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotConfigured => ErrorCode::BillingNotConfigured,
            Self::InvalidSignature => ErrorCode::InvalidSignature,
            Self::WrongMode => ErrorCode::LivemodeMismatch,
            Self::TooLarge => ErrorCode::BodyTooLarge,
            Self::Forbidden => ErrorCode::Forbidden,
            Self::Stripe(_) => ErrorCode::PaymentsUnavailable,
            Self::Db(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}
