//! A transactional job queue on PostgreSQL.
//!
//! * [`enqueue`] adds a [`Job`] in the caller's own transaction: no commit, no job.
//! * A [`Handler`] does the work. Its [`Attempt`] fences its writes, so that those of a late
//!   worker are refused, and [`Attempt::complete`] makes effect and completion one commit.
//! * [`Workers`] claim jobs under a lease, retry what fails, bury what is hopeless, and keep cron
//!   schedules. [`RunningWorkers::drain`] ends them without losing anything.
//! * [`dead`], [`replay`] and [`snapshot`] are for whoever runs the platform, [`forget`] for people
//!   who leave it.
//!
//! Every job runs at least once. Its effect happens exactly once if it is written to this
//! database in a transaction that [`Attempt::complete`] is part of.

mod attempt;
mod backoff;
mod dead_letter;
mod dispatch;
mod execute;
mod forget;
mod handler;
mod job;
mod lease;
mod repository;
mod running;
mod schedule;
mod schema;
mod settle;
mod snapshot;
mod wake;
mod workers;

pub use attempt::{Attempt, Fenced};
pub use dead_letter::{DeadLetter, Replay, dead, replay};
pub use forget::forget;
pub use handler::{BoxError, Handler, JobError};
pub use job::{Enqueue, Job, enqueue};
pub use running::RunningWorkers;
pub use schedule::InvalidSchedule;
pub use snapshot::{Snapshot, snapshot};
pub use workers::Workers;
