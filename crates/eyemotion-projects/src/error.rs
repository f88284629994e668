use crate::model::UnknownName;
use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use eyemotion_db::idempotency::IdempotencyError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why the project service refused.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// The caller has no such project.
    #[error("there is no such project")]
    NotFound,
    /// Not the caller, and the caller is no admin.
    #[error("there is no such person")]
    OwnerNotFound,
    /// The project was changed since the version that the change was made from.
    #[error("the project has been changed in the meantime; it is now at version {current}")]
    VersionMismatch {
        /// The version that is stored.
        current: i64,
    },
    /// The method needs somebody who has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The `Idempotency-Key` stands in the way.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<UnknownName> for ProjectError {
    fn from(error: UnknownName) -> Self {
        let pointer = format!("/{}", error.what);
        Self::Invalid(vec![FieldError::new(
            pointer,
            "unknown_value",
            error.to_string(),
        )])
    }
}

impl Coded for ProjectError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::NotFound => ErrorCode::ProjectNotFound,
            Self::OwnerNotFound => ErrorCode::NotFound,
            Self::VersionMismatch { .. } => ErrorCode::VersionMismatch,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
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
            Self::VersionMismatch { current } => {
                Map::from_iter([("currentVersion".to_owned(), json!(current))])
            }
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
