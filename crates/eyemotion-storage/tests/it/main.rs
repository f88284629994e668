//! Storage against a real database and a real folder.

mod confirms;
mod downloads;
mod fakes;
mod grants;
mod library;
mod maintenance;
mod moody;
mod processing;
mod recovery;
mod schema;
mod uploads;
mod world;
