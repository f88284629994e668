//! PostgreSQL for EyeMotion.
//!
//! * [`Db`] opens transactions, and only for a [`Ctx`](eyemotion_core::Ctx): no caller, no query.
//! * [`Tx`] is a transaction and Diesel's connection in one: `query.load(&mut tx)`. Dropped, it is
//!   rolled back before anybody else gets its connection.
//! * [`DbError`] says what failed in words that services can act on.
//! * [`idempotency`] gives each `Idempotency-Key` exactly one effect.
//! * [`migrate`](migrate()) brings the schema up to date, [`local`] runs a server of our own.

mod address;
mod config;
mod connect;
mod db;
mod error;
pub mod idempotency;
mod listen;
pub mod local;
mod migrate;
mod pool;
mod rights;
mod schema;
mod schema_files;
mod schema_stamp;
mod statements;
mod tls;
mod tx;

pub use config::DatabaseConfig;
pub use connect::ConnectError;
pub use db::Db;
pub use error::{ConstraintKind, DbError};
pub use listen::{Notification, Notifications};
pub use migrate::{MigrateError, MigrationState, migrate, migrate_down, migration_status};
pub use schema_files::schema_hash;
pub use tx::Tx;
