//! SQL and nothing else.

pub(crate) mod files;
pub(crate) mod processing;
pub(crate) mod projects;
pub(crate) mod quotas;
pub(crate) mod stored;
pub(crate) mod sweeps;
pub(crate) mod uploads;

use diesel::result::Error;
use eyemotion_db::DbError;

/// A stored value that this version does not know.
fn unreadable(what: &str, value: &str) -> DbError {
    DbError::Other(format!("{what} is {value:?} in the database").into())
}

/// Sizes are not negative in the database, and no file has more than 8 EiB.
pub(crate) fn bytes(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

/// Bytes as the database counts them.
pub(crate) fn stored_bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A digest of the right length, or none.
fn digest(stored: Option<Vec<u8>>) -> Option<[u8; 32]> {
    stored.and_then(|bytes| bytes.try_into().ok())
}

/// Whether a guarded statement changed its one row.
fn changed(result: Result<usize, Error>) -> Result<bool, DbError> {
    Ok(result? == 1)
}

impl From<diesel::result::Error> for crate::error::StorageError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
