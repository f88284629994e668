//! SQL and nothing else: functions over a transaction, one file for each table.

pub(crate) mod account_overview;
pub(crate) mod profiles;
pub(crate) mod sessions;
pub(crate) mod users;

impl From<diesel::result::Error> for crate::error::AuthError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
