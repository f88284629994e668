//! How the server and its parts are.
//!
//! * [`Health`] is the service: one report over every component.
//! * [`Components`] implements it over the [`Probe`](eyemotion_ports::Probe) of each component, all
//!   asked at once and none waited for longer than two seconds.
//! * [`DatabaseProbe`] is the database's.

mod components;
mod database;
mod repository;
mod service;

pub use components::Components;
pub use database::DatabaseProbe;
pub use service::{ComponentReport, Health, Report};
