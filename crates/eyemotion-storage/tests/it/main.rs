//! Storage against a real database and a real folder.

#![expect(
    clippy::unwrap_used,
    reason = "clippy spares test functions only, and tests have functions beside them"
)]

mod confirms;
mod downloads;
mod fakes;
mod grants;
mod holds;
mod leases;
mod library;
mod maintenance;
mod moody;
mod processing;
mod recovery;
mod schema;
mod store;
mod uploads;
mod watching;
mod world;
