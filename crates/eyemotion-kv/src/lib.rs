//! A key-value store, and the feature flags that are kept in it.
//!
//! * [`KeyValue`] is the store: namespaces, prefixes, expiry, versions to compare and set.
//! * [`FlagSettings`] shows and changes the flags; they are evaluated through the port
//!   [`Flags`](eyemotion_ports::Flags).
//! * [`KvStore`] implements all three over PostgreSQL, with what is read often in memory.
//! * [`SweepExpired`] is the job that gives expired entries' room back.

mod error;
mod flags;
mod jobs;
mod model;
mod prefix;
mod probe;
mod repository;
mod rules;
mod schema;
mod service;
mod store;
mod validation;

pub use error::KvError;
pub use flags::FLAGS_KEY;
pub use jobs::{SweepExpired, Sweeper};
pub use model::{DEFAULT_NAMESPACE, Entry, EntryPage, Expected, NewEntry};
pub use probe::KvProbe;
pub use service::{FlagSettings, KeyValue};
pub use store::{COMMAND_LINE, KvStore};
