//! The HTTP interface, against the whole server on a real database.

mod accounts;
mod addresses;
mod analytics;
mod api_keys;
mod browser;
mod clips;
mod downloads;
mod edge;
mod files;
mod flags;
mod hot_reads;
mod kv;
mod limits;
pub(crate) mod mailbox;
mod oauth;
mod oidc;
mod payments;
mod people;
mod privacy;
mod projects;
mod recovery;
mod sessions;
mod transfers;
mod uploader;
mod uploads;
mod webhooks;
