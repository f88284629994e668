//! A transactional job queue on PostgreSQL.
//!
//! * [`enqueue`] adds a [`Job`] in the caller's own transaction.
//! * A [`Handler`] does the work; its [`Attempt`] fences its writes, so that a late worker's are refused.

mod attempt;
mod handler;
mod job;
mod repository;
mod schema;

pub use attempt::{Attempt, Fenced};
pub use handler::{BoxError, Handler, JobError};
pub use job::{Enqueue, Job, enqueue};
