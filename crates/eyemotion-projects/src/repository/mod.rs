//! SQL and nothing else, one file for each table.

pub(crate) mod projects;
