//! Accounts on a real database, through the public trait.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod operator;
mod overview;
mod profile;
mod refresh;
mod registration;
mod secrecy;
mod sign_in;
mod world;
