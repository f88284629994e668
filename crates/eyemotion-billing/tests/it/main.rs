//! The crate against a real database.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod concurrency;
mod ledger;
mod model;
mod rights;
mod service;
mod subscriptions;
mod world;
