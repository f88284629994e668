//! The HTTP interface, against the whole server on a real database.

mod accounts;
mod addresses;
mod clips;
mod downloads;
mod edge;
mod files;
mod hot_reads;
mod limits;
pub(crate) mod mailbox;
mod oauth;
mod privacy;
mod projects;
mod recovery;
mod sessions;
mod transfers;
mod uploader;
mod uploads;
