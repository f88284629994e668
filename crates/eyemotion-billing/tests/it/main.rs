//! The crate against a real database.
