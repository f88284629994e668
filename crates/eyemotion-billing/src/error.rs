use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use eyemotion_db::idempotency::IdempotencyError;
use eyemotion_ports::LedgerError;
use serde_json::{Map, Value};
use std::time::Duration;

/// Why billing refused.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// The method needs somebody who has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The method is the operators'.
    #[error("only an admin may do this")]
    Forbidden,
    /// Nobody has this id.
    #[error("there is no such person")]
    UserNotFound,
    /// The caller has no live subscription.
    #[error("there is no live subscription; choose a plan")]
    SubscriptionNotFound,
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

impl From<LedgerError> for BillingError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Db(error) => Self::Db(error),
            other => Self::Ledger(other),
        }
    }
}

impl Coded for BillingError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::Forbidden => ErrorCode::Forbidden,
            Self::UserNotFound => ErrorCode::NotFound,
            Self::SubscriptionNotFound => ErrorCode::SubscriptionNotFound,
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
        match self {
            Self::Ledger(error) => error.members(),
            _ => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Idempotency(error) => error.retry_after(),
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}
