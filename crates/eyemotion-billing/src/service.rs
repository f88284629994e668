//! The crate's public page.

use crate::error::BillingError;
use crate::model::{ActionPrice, CreditUsage, CreditsOverview, Plan, SubscriptionOverview};
use async_trait::async_trait;
use eyemotion_core::{Credits, Ctx, Page, PageRequest, UserId};

/// What people have subscribed to and what they have left.
#[async_trait]
pub trait Billing: Send + Sync {
    /// The plans on sale, cheapest first. Anybody may look.
    async fn plans(&self, ctx: &Ctx) -> Result<Vec<Plan>, BillingError>;

    /// The caller's live subscription, in one query.
    ///
    /// # Errors
    /// [`BillingError::SubscriptionNotFound`] between two subscriptions.
    async fn subscription(&self, ctx: &Ctx) -> Result<SubscriptionOverview, BillingError>;

    /// The caller's credits, in one query.
    async fn credits(&self, ctx: &Ctx) -> Result<CreditsOverview, BillingError>;

    /// What the caller spent credits on, newest first.
    async fn usage(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<CreditUsage>, BillingError>;

    /// What every action cost, costs and will cost. Anybody who has signed in may know.
    ///
    /// # Errors
    /// [`BillingError::Unauthenticated`].
    async fn action_prices(&self, ctx: &Ctx) -> Result<Vec<ActionPrice>, BillingError>;

    /// An operator gives somebody credits. Returns the balance afterwards. The same idempotency
    /// key grants once.
    ///
    /// # Errors
    /// [`BillingError::Forbidden`] unless the caller is an admin or the system,
    /// [`BillingError::Invalid`], [`BillingError::UserNotFound`], [`BillingError::Ledger`].
    async fn grant(&self, ctx: &Ctx, grant: CreditGrant) -> Result<Credits, BillingError>;
}

/// Credits that an operator gives.
#[derive(Clone, Debug)]
pub struct CreditGrant {
    /// To whom.
    pub user: UserId,
    /// 1 to 1000000.
    pub credits: Credits,
    /// Why, for the books: 1 to 200 characters on one line.
    pub reason: String,
}
