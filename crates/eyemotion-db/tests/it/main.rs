//! Integration tests of eyemotion-db, against real servers.

#![expect(
    clippy::unwrap_used,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod local;
mod people;
mod tx;
