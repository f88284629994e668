//! The HTTP interface, against the whole server on a real database.

mod accounts;
mod clips;
mod downloads;
mod edge;
mod files;
mod limits;
mod projects;
mod sessions;
mod transfers;
mod uploader;
mod uploads;
