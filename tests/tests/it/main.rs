//! Rules about the whole workspace, checked as tests.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's functions fail by panicking, as the test does"
)]

mod api;
mod architecture;
mod attacks;
mod audit;
mod database;
mod ledger;
mod licences;
mod openapi;
mod rls;
mod schema;
mod session;
mod sweeps;
mod workspace;
