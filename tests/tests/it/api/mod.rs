//! The HTTP interface, against the whole server on a real database.

mod accounts;
mod clips;
mod edge;
mod files;
mod projects;
mod uploader;
mod uploads;
