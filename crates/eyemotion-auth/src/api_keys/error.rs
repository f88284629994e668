use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use eyemotion_db::idempotency::IdempotencyError;
use std::time::Duration;

/// Why a key is refused, or a request about keys.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// Not one of ours, revoked, expired, or of somebody who is no admin any more. Which of these
    /// is nobody's business.
    #[error("the API key is not valid")]
    KeyInvalid,
    /// There is no key with this id.
    #[error("there is no such API key")]
    NotFound,
    /// The method is for admins.
    #[error("this is not allowed")]
    Forbidden,
    /// The method needs somebody who has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The `Idempotency-Key` stands in the way.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The random source failed.
    #[error("no random bytes")]
    Random,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for ApiKeyError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::KeyInvalid => ErrorCode::ApiKeyInvalid,
            Self::NotFound => ErrorCode::ApiKeyNotFound,
            Self::Forbidden => ErrorCode::Forbidden,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::Idempotency(error) => error.code(),
            Self::Random => ErrorCode::Internal,
            Self::Db(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            _ => Vec::new(),
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
