//! Deleting and exporting accounts, through the whole server.

mod coverage;
mod crashes;
mod deletion;
mod export;
mod races;
mod stage;
