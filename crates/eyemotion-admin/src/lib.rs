//! What operators need to see and to do.
//!
//! * [`DatabaseActivityLog`] is the audit log: who did what, from where, in which request.
//! * [`Audit`] reads it: everybody's for admins, one's own for everybody.
//! * [`Overview`] counts people and projects, for admins.
//! * [`MaintainActivityLog`] is the daily job that makes its partitions and drops the old ones.
//! * [`ForgetIdempotencyKeys`] is the hourly job that ends the life of used `Idempotency-Key`s.
//! * [`ActivityOfPeople`] and [`WorkOfPeople`] forget people who leave.

mod activity;
mod audit;
mod jobs;
mod lifecycle;
mod overview;
mod repository;
mod schema;

pub use activity::DatabaseActivityLog;
pub use audit::{Audit, AuditActor, AuditEntry, AuditFilter, AuditService};
pub use jobs::{
    ActivityLogKeeper, ForgetIdempotencyKeys, IdempotencyKeyKeeper, MaintainActivityLog,
};
pub use lifecycle::{ActivityOfPeople, WorkOfPeople};
pub use overview::{Overview, OverviewService, PeopleFigures, PlatformFigures, ProjectFigures};
