//! SQL and nothing else: functions over a transaction, one file for each table.

pub(crate) mod activity_logs;
pub(crate) mod overview;
