use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// The entry is not at the version that the change was made from.
    #[error("{}", match .current {
        Some(version) => format!("the entry has been changed in the meantime; it is now at version {version}"),
        None => "there is no such entry any more".to_owned(),
    })]
    VersionMismatch {
        /// The version that is stored; none: there is no entry.
        current: Option<i64>,
    },
    /// The store is for the platform, its operators and programs with a key.
    #[error("this is not allowed")]
    Forbidden,
    /// The method needs somebody who has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl KvError {
    pub(crate) fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, code, detail)])
    }
}

impl Coded for KvError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::VersionMismatch { .. } => ErrorCode::VersionMismatch,
            Self::Forbidden => ErrorCode::Forbidden,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
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
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}
