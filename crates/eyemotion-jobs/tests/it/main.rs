//! The queue against a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod dead_letters;
mod drain;
mod enqueue;
mod kill;
mod leases;
mod puppet;
mod retry;
mod schedules;
mod throughput;
mod world;
