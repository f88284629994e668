//! Plans, subscriptions and the credit ledger.
//!
//! * [`Billing`] is the service that people and operators use; [`BillingService`] implements it.
//! * [`Ledger`] is the double-entry book of credits, behind the port
//!   [`CreditLedger`](eyemotion_ports::CreditLedger).
//! * [`Subscriptions`] gives new people the free plan and renews its periods.
//! * [`Analytics`] is the figures of the business; [`AnalyticsService`] implements it.

mod analytics;
mod billing;
mod catalogue;
mod converge;
mod currency;
mod error;
mod hot_reads;
mod jobs;
mod ledger;
mod lifecycle;
mod model;
mod overdue;
mod payments;
mod period;
mod renewal;
mod repository;
mod schema;
mod service;
mod stripe;
mod subscriptions;
mod webhook;

pub use analytics::{
    Analytics, AnalyticsConfig, AnalyticsService, BuiltUntil, BusinessFigures, Cohort, CohortMonth,
    CreditFigures, DayFigures, Financial, Movements, MrrOfPlan, PlanFigures, PlanSubscriptions,
    RefreshAnalytics, ReportPeriod, Revenue, RollForward, Summary, TransactionLine,
};
pub use billing::BillingService;
pub use catalogue::{Catalogue, CatalogueChange, CatalogueError};
pub use converge::{Convergence, ConvergenceParts};
pub use error::BillingError;
pub use jobs::{ExpireHolds, RenewSubscriptions};
pub use ledger::{Ledger, reversal_target};
pub use model::{
    ActionPrice, BillingInterval, CreditUsage, CreditsOverview, OrderStatus, PaymentKind,
    PaymentStatus, Plan, PriceUnit, SubscriptionOverview, SubscriptionStatus,
};
pub use overdue::{Expired, OverdueHolds};
pub use payments::{
    Checkout, EndCustomer, InvalidRedirect, Payment, PaymentError, Payments, PaymentsParts,
    PaymentsService, PlanChange, Promotion, RedirectOrigins, Refund, ReturnUrls, WindDown,
};
pub use service::{Billing, CreditGrant};
pub use stripe::{Confirmation, IdempotencyKey, Stripe, StripeConfig, StripeError};
pub use subscriptions::{Renewed, Subscriptions};
pub use webhook::{
    CancelLapsed, Difference, DriftReport, EndGrace, EventFilter, FetchMissedEvents, MAX_BODY,
    PaymentsProbe, ProcessStripeEvent, ReconcilePayments, ReconcileScope, SignatureError,
    StripeEvent, StripeWebhooks, WebhookError, Webhooks, verify_signature, workers,
};
