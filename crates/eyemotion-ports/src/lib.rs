//! The only page on which EyeMotion's domains meet.
//!
//! A domain never imports another. What it needs of one is a small trait here, given to it when
//! the server is put together. Ports work inside the caller's transaction: they never begin or
//! commit one, so that a use case across domains happens as a whole or not at all.

mod accounts;
mod activity;
mod credits;
mod flags;
mod health;
mod mail;
mod projects;
mod quota;

pub use accounts::{AccountLifecycle, Erasure, Leaver, NewAccount, erase_rows};
pub use activity::{Activity, ActivityLog};
pub use credits::{
    Capture, Charge, CreditKind, CreditLedger, Grant, Hold, LedgerError, Priced, Quote,
};
pub use flags::{Flag, FlagRule, FlagSubject, Flags};
pub use health::{ComponentHealth, HealthStatus, Probe};
pub use mail::{Mail, Outbox};
pub use projects::{ProjectContents, ProjectDirectory};
pub use quota::StorageQuota;
