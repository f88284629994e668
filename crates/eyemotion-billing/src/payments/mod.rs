//! Paying: people on their way to Stripe and back.

mod checkout;
mod customer;
mod error;
mod leaving;
mod plan_change;
mod redirects;
mod service;

pub use error::PaymentError;
pub use leaving::{EndCustomer, WindDown};
pub use redirects::{InvalidRedirect, RedirectOrigins};
pub use service::{PaymentsParts, PaymentsService};

pub(crate) use leaving::{end_customer, wind_down};

use crate::model::{OrderStatus, PaymentKind, PaymentStatus};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Ctx, Money, Page, PageRequest};
use uuid::Uuid;

/// What the caller pays for, and what they paid.
///
/// Every method answers [`PaymentError::NotConfigured`] while the server has no key of Stripe's,
/// but [`Payments::history`], and [`PaymentError::Stripe`] while Stripe does not answer.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Opens a page on which the caller subscribes to a plan. Asked twice, it is the same page.
    ///
    /// # Errors
    /// [`PaymentError::Invalid`], [`PaymentError::SubscriptionExists`].
    async fn checkout(
        &self,
        ctx: &Ctx,
        plan: &str,
        urls: ReturnUrls,
    ) -> Result<Checkout, PaymentError>;

    /// Opens a page on which the caller buys credits. Asked twice, it is the same page.
    ///
    /// # Errors
    /// [`PaymentError::Invalid`].
    async fn buy_credits(
        &self,
        ctx: &Ctx,
        credits: Credits,
        urls: ReturnUrls,
    ) -> Result<Checkout, PaymentError>;

    /// Takes over what has become of a page, for the impatient: by the same code as Stripe's word.
    ///
    /// # Errors
    /// [`PaymentError::CheckoutNotFound`].
    async fn sync_checkout(&self, ctx: &Ctx, session: &str) -> Result<OrderStatus, PaymentError>;

    /// Ends the subscription with its period. Once more changes nothing.
    ///
    /// # Errors
    /// [`PaymentError::SubscriptionNotFound`].
    async fn cancel(&self, ctx: &Ctx) -> Result<(), PaymentError>;

    /// Takes a cancellation back.
    ///
    /// # Errors
    /// [`PaymentError::SubscriptionEnded`], [`PaymentError::SubscriptionNotFound`].
    async fn resume(&self, ctx: &Ctx) -> Result<(), PaymentError>;

    /// What a change of plan would cost, to the satang.
    ///
    /// # Errors
    /// As [`Payments::change_plan`].
    async fn preview_change(&self, ctx: &Ctx, plan: &str) -> Result<PlanChange, PaymentError>;

    /// Changes the plan: to a dearer one now, for the rest of the period; to a cheaper one with the
    /// next period. `proration_date` is that of a preview, at most ten minutes old.
    ///
    /// # Errors
    /// [`PaymentError::Invalid`], [`PaymentError::SubscriptionNotFound`],
    /// [`PaymentError::PlanUnchanged`], [`PaymentError::ConfirmationNeeded`].
    async fn change_plan(
        &self,
        ctx: &Ctx,
        plan: &str,
        proration_date: Option<DateTime<Utc>>,
    ) -> Result<PlanChange, PaymentError>;

    /// The page on which the caller looks after cards and invoices.
    ///
    /// # Errors
    /// [`PaymentError::Invalid`].
    async fn portal(&self, ctx: &Ctx, return_url: Option<String>) -> Result<String, PaymentError>;

    /// What a promotion code is worth.
    ///
    /// # Errors
    /// [`PaymentError::PromotionCodeNotFound`] also for one that is used up.
    async fn promotion_code(&self, ctx: &Ctx, code: &str) -> Result<Promotion, PaymentError>;

    /// The caller's payments, newest first, each with its refunds.
    async fn history(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<Payment>, PaymentError>;
}

/// Where the browser goes afterwards; none: the client's own pages.
#[derive(Clone, Debug, Default)]
pub struct ReturnUrls {
    /// After paying.
    pub success: Option<String>,
    /// After turning back.
    pub cancel: Option<String>,
}

/// A page on which somebody pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Stripe's id of it.
    pub session: String,
    /// Its address.
    pub url: String,
}

/// A change of plan, wanted or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanChange {
    /// The new plan's name.
    pub plan: String,
    /// Whether it happens now, and not with the next period.
    pub now: bool,
    /// When it happens.
    pub effective_at: DateTime<Utc>,
    /// What is charged for it now; below zero: what is credited to later invoices.
    pub due: Money,
    /// The moment from which the rest of the period is counted: give it back with the change, and
    /// the amount stays this one.
    pub proration_date: Option<DateTime<Utc>>,
}

/// What a promotion code is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Promotion {
    /// As people type it.
    pub code: String,
    /// What is taken off, in percent,
    pub percent_off: Option<f64>,
    /// or as an amount.
    pub amount_off: Option<Money>,
    /// `once`, `repeating` or `forever`.
    pub duration: String,
    /// How long, if it is `repeating`.
    pub months: Option<i64>,
    /// Until when it can be used.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Our id of it.
    pub id: Uuid,
    /// What was paid, tax included.
    pub amount: Money,
    /// What of it is tax.
    pub tax: i64,
    /// What of it went back.
    pub refunded: i64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What it was for.
    pub kind: PaymentKind,
    /// The same for people.
    pub description: String,
    /// The plan's name.
    pub plan: Option<String>,
    /// The invoice as a page,
    pub invoice_url: Option<String>,
    /// and as a file.
    pub invoice_pdf: Option<String>,
    /// The receipt.
    pub receipt_url: Option<String>,
    /// What went back, oldest first.
    pub refunds: Vec<Refund>,
    /// When it was paid, else when it was tried.
    pub created_at: DateTime<Utc>,
}

/// Money that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Our id of it.
    pub id: Uuid,
    /// How much, in the payment's currency.
    pub amount: i64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}
