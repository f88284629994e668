use super::redirects::RedirectOrigins;
use super::{Checkout, Payment, PaymentError, Payments, PlanChange, Promotion, ReturnUrls};
use crate::converge::{Convergence, StripeObject};
use crate::model::{OrderStatus, Plan};
use crate::repository::{orders, payments, plans};
use crate::stripe::{IdempotencyKey, Stripe};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Clock, Credits, Ctx, Cursor, Money, Page, PageRequest, UserId};
use eyemotion_db::Db;
use eyemotion_ports::{Activity, ActivityLog};
use serde_json::Value;
use std::sync::Arc;

/// What [`PaymentsService`] is made of.
#[derive(Clone)]
pub struct PaymentsParts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Stripe, if there is a key.
    pub stripe: Option<Stripe>,
    /// Makes our rows equal to Stripe's; there is one with Stripe.
    pub convergence: Option<Convergence>,
    /// The audit log.
    pub activity: Arc<dyn ActivityLog>,
    /// Where browsers may be led back to.
    pub redirects: RedirectOrigins,
}

/// [`Payments`] with Stripe.
pub struct PaymentsService {
    pub(super) parts: PaymentsParts,
}

impl PaymentsService {
    /// Puts the service together.
    pub fn new(parts: PaymentsParts) -> Self {
        Self { parts }
    }

    pub(crate) fn parts(&self) -> &PaymentsParts {
        &self.parts
    }

    pub(super) fn stripe(&self) -> Result<&Stripe, PaymentError> {
        self.parts
            .stripe
            .as_ref()
            .ok_or(PaymentError::NotConfigured)
    }

    pub(super) async fn converge(
        &self,
        ctx: &Ctx,
        object: &StripeObject,
    ) -> Result<(), PaymentError> {
        let convergence = self.parts.convergence.as_ref();
        let convergence = convergence.ok_or(PaymentError::NotConfigured)?;
        Ok(convergence.converge(ctx, object).await?)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.parts.clock.now()
    }

    /// A plan that can be paid for, with what it costs at Stripe.
    pub(super) async fn paid_plan(
        &self,
        ctx: &Ctx,
        name: &str,
    ) -> Result<(Plan, String), PaymentError> {
        let plan = {
            let mut tx = self.parts.db.read(ctx).await?;
            let plans = plans::on_sale(&mut tx).await?;
            plans.into_iter().find(|plan| plan.name == name)
        };
        let Some(plan) = plan else {
            let detail = "must be the name of a plan on sale: see GET /payments/plans";
            return Err(PaymentError::invalid("/planName", "unknown_plan", detail));
        };
        if plan.price.amount == 0 {
            let detail = "is free; cancel the subscription to go back to it";
            return Err(PaymentError::invalid("/planName", "free_plan", detail));
        }
        let price = self.price_of(ctx, &plan).await?;
        Ok((plan, price))
    }

    /// Once for a use case; its line in the log.
    pub(super) async fn record(
        &self,
        ctx: &Ctx,
        tx: &mut eyemotion_db::Tx,
        action: &'static str,
        id: impl std::fmt::Display,
        details: Value,
    ) -> Result<(), PaymentError> {
        let activity = Activity::new(action, "payment", id).with(details);
        self.parts.activity.record(tx, ctx, activity).await?;
        Ok(())
    }
}

pub(super) fn caller(ctx: &Ctx) -> Result<UserId, PaymentError> {
    ctx.user_id().ok_or(PaymentError::Unauthenticated)
}

#[async_trait]
impl Payments for PaymentsService {
    async fn checkout(
        &self,
        ctx: &Ctx,
        plan: &str,
        urls: ReturnUrls,
    ) -> Result<Checkout, PaymentError> {
        self.subscribe(ctx, plan, urls).await
    }

    async fn buy_credits(
        &self,
        ctx: &Ctx,
        credits: Credits,
        urls: ReturnUrls,
    ) -> Result<Checkout, PaymentError> {
        self.buy(ctx, credits, urls).await
    }

    async fn sync_checkout(&self, ctx: &Ctx, session: &str) -> Result<OrderStatus, PaymentError> {
        let user = caller(ctx)?;
        self.stripe()?;
        let order = {
            let mut tx = self.parts.db.read(ctx).await?;
            orders::by_session(&mut tx, user, session).await?
        };
        let order = order.ok_or(PaymentError::CheckoutNotFound)?;
        let object = StripeObject::CheckoutSession(session.to_owned());
        self.converge(ctx, &object).await?;
        let mut tx = self.parts.db.read(ctx).await?;
        let order = orders::find(&mut tx, user, order.id).await?;
        Ok(crate::repository::name(&order.status)?)
    }

    async fn cancel(&self, ctx: &Ctx) -> Result<(), PaymentError> {
        self.end_with_period(ctx, caller(ctx)?).await
    }

    async fn resume(&self, ctx: &Ctx) -> Result<(), PaymentError> {
        self.go_on(ctx, caller(ctx)?).await
    }

    async fn preview_change(&self, ctx: &Ctx, plan: &str) -> Result<PlanChange, PaymentError> {
        self.preview(ctx, plan).await
    }

    async fn change_plan(
        &self,
        ctx: &Ctx,
        plan: &str,
        proration_date: Option<DateTime<Utc>>,
    ) -> Result<PlanChange, PaymentError> {
        self.change(ctx, plan, proration_date).await
    }

    async fn portal(&self, ctx: &Ctx, return_url: Option<String>) -> Result<String, PaymentError> {
        let user = caller(ctx)?;
        let stripe = self.stripe()?;
        let redirects = &self.parts.redirects;
        let return_url = redirects.choose(return_url, "/returnUrl", "")?;
        let customer = self.customer(ctx, user).await?;
        // Each page is a new one, and making one changes nothing.
        let key = IdempotencyKey::of("portal", self.parts.clock.new_id())?;
        let session = stripe
            .create_portal_session(&key, &customer, &return_url)
            .await?;
        Ok(session.url)
    }

    async fn promotion_code(&self, ctx: &Ctx, code: &str) -> Result<Promotion, PaymentError> {
        caller(ctx)?;
        let stripe = self.stripe()?;
        let found = stripe.promotion_code(code).await?;
        let not_found = || PaymentError::PromotionCodeNotFound;
        let found = found.ok_or_else(not_found)?;
        let coupon = found.promotion.as_ref().and_then(|it| it.coupon.as_ref());
        let coupon = coupon.and_then(|it| it.whole()).ok_or_else(not_found)?;
        if !found.active || !coupon.valid {
            return Err(not_found());
        }
        let currency = coupon.currency.as_deref().unwrap_or_default();
        Ok(Promotion {
            code: found.code,
            percent_off: coupon.percent_off,
            amount_off: coupon.amount_off.map(|amount| Money {
                amount,
                currency: currency.to_ascii_uppercase(),
            }),
            duration: coupon.duration.clone(),
            months: coupon.duration_in_months,
            expires_at: found.expires_at,
        })
    }

    async fn history(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<Payment>, PaymentError> {
        let user = caller(ctx)?;
        let mut tx = self.parts.db.read(ctx).await?;
        let rows = payments::list(&mut tx, user, page).await?;
        let key = |row: &Payment| Cursor {
            created_at: row.created_at,
            id: row.id,
        };
        Ok(Page::from_rows(rows, page.limit, key))
    }
}
