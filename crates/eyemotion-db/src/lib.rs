//! PostgreSQL for EyeMotion.
//!
//! * [`Db`] opens transactions, and only for a [`Ctx`](eyemotion_core::Ctx): no caller, no query.
//! * [`Tx`] is a transaction and Diesel's connection in one: `query.load(&mut tx)`. Dropped, it is
//!   rolled back before anybody else gets its connection.
//! * [`HotCache`] keeps what is read often in memory, and [`Changes`] tell it what to forget.
//! * [`DbError`] says what failed in words that services can act on.
//! * [`idempotency`] gives each `Idempotency-Key` exactly one effect.
//! * [`ForeignDatabase`] reads the database of another platform and cannot write it.
//! * [`migrate`](migrate()) brings the schema up to date, [`local`] runs a server of our own.

mod address;
mod admission;
mod changes;
mod config;
mod connect;
mod db;
mod error;
mod flight;
mod foreign;
mod hot_cache;
pub mod idempotency;
mod listen;
pub mod local;
mod migrate;
pub mod personal;
mod pool;
mod prepared;
mod rights;
mod schema;
mod schema_files;
mod schema_stamp;
mod statements;
mod tls;
mod tx;

pub use changes::Changes;
pub use config::DatabaseConfig;
pub use connect::ConnectError;
pub use db::Db;
pub use error::{ConstraintKind, DbError};
pub use foreign::{ForeignDatabase, ForeignError, ForeignRow, ForeignTable, Wanted};
pub use hot_cache::{HotCache, HotCacheConfig};
pub use listen::{Notification, Notifications};
pub use migrate::{MigrateError, MigrationState, migrate, migrate_down, migration_status};
pub use schema_files::schema_hash;
pub use tx::Tx;
