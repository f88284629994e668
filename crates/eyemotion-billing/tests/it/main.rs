//! The crate against a real database.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod analytics;
mod concurrency;
mod holds;
mod ledger;
mod model;
mod payments;
mod prices;
mod reversals;
mod rights;
mod sequences;
mod service;
mod subscriptions;
mod webhooks;
mod world;
