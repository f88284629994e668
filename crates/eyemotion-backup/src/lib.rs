//! Backups: a repository of plain parts that stock tools open. Its database role,
//! `eyemotion_backup`, is part of the schema; the service is still to come, so this crate gives
//! nothing yet.
