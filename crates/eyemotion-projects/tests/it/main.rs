//! The crate against a real database.

#![expect(
    clippy::unwrap_used,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod create;
mod delete;
mod hold;
mod list;
mod update;
mod visibility;
mod world;
