//! SQL and nothing else: functions over a transaction, one file for each table.

pub(crate) mod account_overview;
pub(crate) mod profiles;
pub(crate) mod sessions;
pub(crate) mod users;
