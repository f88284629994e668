//! Integration tests of eyemotion-testkit.

#![expect(
    clippy::unwrap_used,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod database;
