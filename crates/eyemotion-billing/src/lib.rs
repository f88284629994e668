//! Plans, subscriptions and the credit ledger.
//!
//! * [`Billing`] is the service that people and operators use; [`BillingService`] implements it.
//! * [`Ledger`] is the double-entry book of credits, behind the port
//!   [`CreditLedger`](eyemotion_ports::CreditLedger).
//! * [`Subscriptions`] gives new people the free plan and renews its periods.

mod billing;
mod error;
mod hot_reads;
mod jobs;
mod ledger;
mod lifecycle;
mod model;
mod period;
mod renewal;
mod repository;
mod schema;
mod service;
mod subscriptions;

pub use billing::BillingService;
pub use error::BillingError;
pub use jobs::RenewSubscriptions;
pub use ledger::Ledger;
pub use model::{
    BillingInterval, CreditUsage, CreditsOverview, Plan, SubscriptionOverview, SubscriptionStatus,
};
pub use service::{Billing, CreditGrant};
pub use subscriptions::{Renewed, Subscriptions};
