//! Integration tests of eyemotion-db, against real servers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod flight;
mod hot_cache;
mod idempotency;
mod listen;
mod local;
mod migrate;
mod people;
mod pool;
mod server;
mod tls;
mod tx;
