//! SQL and nothing else: functions over a transaction, one file for each table.

pub(crate) mod kv_store;
