//! What the tests of every crate stand on; a dev-dependency only.
//!
//! [`TestDatabase`] gives each test a migrated PostgreSQL database of its own in some 50 ms. The
//! server behind it starts with the first test and ends by itself a minute after the last one.
//! `TestApp` (feature `app`) is the whole server in the test's process, `FakeProvider` (feature
//! `provider`) a provider of identities.

#![cfg_attr(
    any(feature = "app", feature = "provider"),
    expect(
        clippy::expect_used,
        reason = "a test whose stage cannot be set has failed"
    )
)]
#![cfg_attr(
    feature = "app",
    expect(
        clippy::panic,
        clippy::missing_panics_doc,
        reason = "a test whose stage cannot be set has failed"
    )
)]

#[cfg(feature = "app")]
mod app;
#[cfg(feature = "app")]
mod contract;
mod database;
#[cfg(feature = "provider")]
mod provider;
mod server;
mod template;

#[cfg(feature = "app")]
pub use app::{Answer, Client, Replica, Session, TestApp};
#[cfg(feature = "app")]
pub use contract::{Contract, Operation};
pub use database::TestDatabase;
#[cfg(feature = "app")]
pub use gateway::config;
#[cfg(feature = "provider")]
pub use provider::{CLIENT_ID, CLIENT_SECRET, FakeProvider, Fault, ProviderUser};
