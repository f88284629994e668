//! The store on a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod audit;
mod cache;
mod flags;
mod limits;
mod plan;
mod prefix;
mod store;
mod world;
