//! The key-value store for settings and feature flags. Its table, `kv_store`, is part of the schema;
//! the service on it is still to come, so this crate gives nothing yet.
