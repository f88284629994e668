//! Accounts on a real database, through the public trait.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api_keys;
mod federation;
mod gate;
mod import;
mod operator;
mod overview;
mod people;
mod profile;
mod refresh;
mod registration;
mod secrecy;
mod sessions;
mod sign_in;
mod throttles;
mod world;
