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
    /// Not now: the server could not be reached, the connection broke, none was free in time, or
    /// the server gave the statement up (time-out, lock, deadlock). The same may succeed later.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement of this transaction failed earlier, so it cannot be committed.
    #[error("the transaction had failed before its commit")]
    Aborted,
    /// The context was [unproven](eyemotion_core::Ctx::unproven_at), and the session has ended, the
    /// person may not come in, has another role, or wanted to write.
    #[error("the session has ended")]
    NotAdmitted,
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

/// How the server's message begins when it gave up what may succeed later. Diesel passes its words
/// on and not its SQLSTATE; a server that speaks another language than English (`lc_messages`) is
/// therefore not understood, and its refusals stay [`DbError::Other`].
const GIVEN_UP: [&str; 4] = [
    // 57014 query_canceled, 55P03 lock_not_available, 40001 on a standby
    "canceling statement due to ",
    // 40P01 deadlock_detected
    "deadlock detected",
    // 55P03 with NOWAIT
    "could not obtain lock on ",
    // 57P01 admin_shutdown, 57P02 crash_shutdown, 25P03 and 57P05 for idleness
    "terminating connection ",
];

fn may_succeed_later(kind: DatabaseErrorKind, message: &str) -> bool {
    match kind {
        DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::SerializationFailure => true,
        _ => GIVEN_UP
            .iter()
            .any(|beginning| message.starts_with(beginning)),
    }
}

/// What [`DbError::NotAdmitted`] is on its way through Diesel.
#[derive(Debug, thiserror::Error)]
#[error("the session has ended")]
pub(crate) struct NotAdmitted;

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(kind, info) if may_succeed_later(kind, info.message()) => {
                Self::Unavailable(info.message().to_owned().into())
            }
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
                    (Some(kind), Some(name)) => Self::Constraint {
                        name: name.to_owned(),
                        kind,
                    },
                    _ => Self::Other(Error::DatabaseError(kind, info).into()),
                }
            }
            Error::QueryBuilderError(cause) if cause.is::<NotAdmitted>() => Self::NotAdmitted,
            other => Self::Other(other.into()),
        }
    }
}

impl Coded for DbError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) => ErrorCode::DatabaseUnavailable,
            Self::NotAdmitted => ErrorCode::SessionEnded,
            _ => ErrorCode::Internal,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Unavailable(_)).then_some(Duration::from_secs(1))
    }
}
