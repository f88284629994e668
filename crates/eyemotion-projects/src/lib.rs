//! Film projects: what a filmmaker's files belong to.
//!
//! * [`Projects`] is the service: create, list, get, update, delete.
//! * [`ProjectService`] implements it on PostgreSQL, [`Directory`] the port through which other domains ask
//!   for a project. Deleting a project gives up its files through [`eyemotion_ports::ProjectContents`].

mod error;
mod lifecycle;
mod model;
mod projects;
mod repository;
mod schema;
mod service;
mod validation;

pub use error::ProjectError;
pub use lifecycle::ProjectsOfPeople;
pub use model::{Project, ProjectStatus, ProjectType, UnknownName};
pub use projects::{Directory, ProjectService};
pub use service::{NewProject, ProjectFilter, ProjectUpdate, Projects};
