//! What the tests of every crate stand on; a dev-dependency only.
//!
//! [`TestDatabase`] gives each test a migrated PostgreSQL database of its own in some 50 ms. The
//! server behind it starts with the first test and ends by itself a minute after the last one.

mod database;
mod server;
mod template;

pub use database::TestDatabase;
