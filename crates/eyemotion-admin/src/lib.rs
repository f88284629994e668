//! What operators need to see and to do.
//!
//! * [`DatabaseActivityLog`] is the audit log: who did what, from where, in which request.
//! * [`MaintainActivityLog`] is the daily job that makes its partitions and drops the old ones.
//! * [`ForgetIdempotencyKeys`] is the hourly job that ends the life of used `Idempotency-Key`s.

mod activity;
mod jobs;
mod repository;
mod schema;

pub use activity::DatabaseActivityLog;
pub use jobs::{
    ActivityLogKeeper, ForgetIdempotencyKeys, IdempotencyKeyKeeper, MaintainActivityLog,
};
