use diesel::result::{DatabaseErrorKind, Error};
use eyemotion_core::{Coded, ErrorCode};
use std::time::Duration;

/// What went wrong between a service and PostgreSQL.
///
/// Services match on [`DbError::constraint`] where a violated constraint means something to a
/// client; whatever they do not match is a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The query found no row where one was needed.
    #[error("no row")]
    NotFound,
    /// A unique, foreign-key, check or exclusion constraint refused the write.
    #[error("constraint {name} was violated")]
    Constraint {
        /// The constraint's name in the schema.
        name: String,
        /// Which sort of constraint.
        kind: ConstraintKind,
    },
    /// The server could not be reached, the connection broke or no connection was free in time.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement of this transaction failed earlier, so it cannot be committed.
    #[error("the transaction had failed before its commit")]
    Aborted,
    /// Anything else, always a fault of ours.
    #[error("the database refused a statement")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Which sort of constraint was violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Two rows with one key.
    Unique,
    /// A row that is referred to does not exist, or still is.
    ForeignKey,
    /// A value outside its bounds.
    Check,
}

impl DbError {
    /// The violated constraint's name, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Self::Unavailable(info.message().to_owned().into()),
            Error::DatabaseError(kind, info) => {
                let sort = match kind {
                    DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ExclusionViolation => {
                        Some(ConstraintKind::Unique)
                    }
                    DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::RestrictViolation => Some(ConstraintKind::ForeignKey),
                    DatabaseErrorKind::CheckViolation | DatabaseErrorKind::NotNullViolation => {
                        Some(ConstraintKind::Check)
                    }
                    _ => None,
                };
                match (sort, info.constraint_name()) {
                    (Some(kind), Some(name)) => Self::Constraint { name: name.to_owned(), kind },
                    _ => Self::Other(Error::DatabaseError(kind, info).into()),
                }
            }
            other => Self::Other(other.into()),
        }
    }
}

impl Coded for DbError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) => ErrorCode::DatabaseUnavailable,
            _ => ErrorCode::Internal,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Unavailable(_)).then_some(Duration::from_secs(1))
    }
}
