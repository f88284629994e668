//! Orders and the pages on which they are paid. An order is written down before Stripe hears of it;
//! its id is the call's key, so that a click after a time-out, or a second one, finds the same page.

use super::service::{PaymentsService, caller};
use super::{Checkout, PaymentError, ReturnUrls};
use crate::converge::StripeObject;
use crate::currency;
use crate::model::OrderStatus;
use crate::repository::orders::{self, OrderRow};
use crate::repository::paid_subscriptions;
use crate::stripe::{IdempotencyKey, StripeError};
use chrono::{SubsecRound, TimeDelta};
use eyemotion_core::{Credits, Ctx, UserId};
use eyemotion_db::idempotency;
use serde_json::{Value, json};
use uuid::Uuid;

/// 0.50 THB.
const CREDIT_PRICE: i64 = 50;
const CREDIT_CURRENCY: &str = "THB";
/// The most that are bought at once: 500,000 THB.
const MOST_CREDITS: i64 = 1_000_000;
/// How long a page stays open. Stripe takes half an hour to a day.
const OPEN: TimeDelta = TimeDelta::hours(23);
/// A page that closes so soon is not shown again.
const LAST_MINUTES: TimeDelta = TimeDelta::minutes(10);
/// How often an order in the way is cleared before the caller is asked to come again.
const ROUNDS: usize = 3;

enum Step {
    /// This order's page is the answer.
    Show(OrderRow),
    /// This one has to end first.
    Clear(OrderRow),
}

impl PaymentsService {
    pub(super) async fn subscribe(
        &self,
        ctx: &Ctx,
        plan: &str,
        urls: ReturnUrls,
    ) -> Result<Checkout, PaymentError> {
        let user = caller(ctx)?;
        self.stripe()?;
        let (success_url, cancel_url) = self.urls(urls)?;
        let (plan, price) = self.paid_plan(ctx, plan).await?;
        let mut order = self.order(user, success_url, cancel_url);
        order.plan_id = Some(plan.id);
        "subscription".clone_into(&mut order.kind);
        order.amount = plan.price.amount;
        order.currency = plan.price.currency;
        let item = json!([{ "price": price, "quantity": 1 }]);
        self.place(ctx, order, &item).await
    }

    pub(super) async fn buy(
        &self,
        ctx: &Ctx,
        credits: Credits,
        urls: ReturnUrls,
    ) -> Result<Checkout, PaymentError> {
        let user = caller(ctx)?;
        self.stripe()?;
        let least = currency::minimum(CREDIT_CURRENCY) / CREDIT_PRICE;
        if !(least..=MOST_CREDITS).contains(&credits.0) {
            let price = currency::shown(least * CREDIT_PRICE, CREDIT_CURRENCY);
            let detail = format!(
                "must be from {least} ({price}, the least that can be charged) to {MOST_CREDITS}"
            );
            return Err(PaymentError::invalid(
                "/creditAmount",
                "out_of_range",
                detail,
            ));
        }
        let (success_url, cancel_url) = self.urls(urls)?;
        let mut order = self.order(user, success_url, cancel_url);
        order.credits = Some(credits.0);
        order.amount = credits.0 * CREDIT_PRICE;
        let item = json!([{
            "quantity": 1,
            "price_data": {
                "currency": CREDIT_CURRENCY.to_ascii_lowercase(),
                "unit_amount": order.amount,
                "product_data": { "name": format!("EyeMotion: {credits}") },
            },
        }]);
        self.place(ctx, order, &item).await
    }

    fn urls(&self, urls: ReturnUrls) -> Result<(String, String), PaymentError> {
        let redirects = &self.parts.redirects;
        Ok((
            redirects.choose(urls.success, "/successUrl", "payment/success")?,
            redirects.choose(urls.cancel, "/cancelUrl", "payment/cancelled")?,
        ))
    }

    /// An order for credits, with nothing in it yet.
    fn order(&self, user: UserId, success_url: String, cancel_url: String) -> OrderRow {
        let now = self.now();
        OrderRow {
            id: self.parts.clock.new_id(),
            user_id: user.0,
            kind: "credits".to_owned(),
            plan_id: None,
            credits: None,
            amount: 0,
            currency: CREDIT_CURRENCY.to_owned(),
            status: OrderStatus::Created.as_str().to_owned(),
            success_url,
            cancel_url,
            stripe_checkout_session_id: None,
            checkout_url: None,
            // Whole, as it is told to Stripe: the same row always makes the same call.
            expires_at: (now + OPEN).trunc_subsecs(0),
            created_at: now,
        }
    }

    async fn place(
        &self,
        ctx: &Ctx,
        wish: OrderRow,
        item: &Value,
    ) -> Result<Checkout, PaymentError> {
        let customer = self.customer(ctx, UserId(wish.user_id)).await?;
        for _ in 0..ROUNDS {
            match self.step(ctx, &wish).await? {
                Step::Show(order) => return self.open(ctx, order, &customer, item).await,
                Step::Clear(order) => self.clear(ctx, order).await?,
            }
        }
        let error = StripeError::Transport("orders keep getting in each other's way".into());
        Err(error.into())
    }

    /// Under the lock of the person's customer: finds or writes down the order.
    async fn step(&self, ctx: &Ctx, wish: &OrderRow) -> Result<Step, PaymentError> {
        const OPERATION: &str = "payments.order";
        let user = UserId(wish.user_id);
        let mut tx = self.parts.db.begin_for(ctx).await?;
        orders::lock_customer(&mut tx, user).await?;
        // What the client's key stands for is the order: the rest can be done again.
        if let Some(id) = idempotency::replay::<Uuid>(&mut tx, ctx, OPERATION).await? {
            let order = orders::find(&mut tx, user, id).await?;
            return Ok(Step::Show(order));
        }
        if wish.plan_id.is_some() && paid_subscriptions::live(&mut tx, user).await?.is_some() {
            return Err(PaymentError::SubscriptionExists);
        }
        let order = match orders::unpaid(&mut tx, user, wish.credits).await? {
            Some(order)
                if order.is_same_wish(wish) && order.expires_at > self.now() + LAST_MINUTES =>
            {
                order
            }
            Some(order) => return Ok(Step::Clear(order)),
            None => {
                orders::insert(&mut tx, wish).await?;
                let details = json!({
                    "kind": wish.kind, "credits": wish.credits, "amount": wish.amount, "currency": wish.currency,
                });
                self.record(ctx, &mut tx, "payment.order_placed", wish.id, details)
                    .await?;
                wish.clone()
            }
        };
        idempotency::remember(&mut tx, ctx, OPERATION, &order.id).await?;
        tx.commit().await?;
        Ok(Step::Show(order))
    }

    /// The order's page, opened if it is not known to be.
    async fn open(
        &self,
        ctx: &Ctx,
        order: OrderRow,
        customer: &str,
        item: &Value,
    ) -> Result<Checkout, PaymentError> {
        if let (Some(session), Some(url)) = (order.stripe_checkout_session_id, order.checkout_url) {
            return Ok(Checkout { session, url });
        }
        let order = OrderRow {
            stripe_checkout_session_id: None,
            checkout_url: None,
            ..order
        };
        let key = IdempotencyKey::of("checkout", order.id)?;
        let form = form(&order, customer, item);
        match self.stripe()?.create_checkout_session(&key, &form).await {
            Ok(session) => {
                let url = session.url.unwrap_or_default();
                let mut tx = self.parts.db.begin_for(ctx).await?;
                orders::open(&mut tx, order.id, &session.id, &url).await?;
                tx.commit().await?;
                Ok(Checkout {
                    session: session.id,
                    url,
                })
            }
            Err(error) => {
                if is_settled(&error) {
                    // Stripe would answer the same under the same key. Nobody has the address of
                    // a page that it may have opened all the same.
                    let mut tx = self.parts.db.begin_for(ctx).await?;
                    orders::close(&mut tx, order.id, "failed").await?;
                    tx.commit().await?;
                }
                Err(error.into())
            }
        }
    }

    /// Makes sure that nobody pays an order any more, and ends it; or finds that it was paid.
    async fn clear(&self, ctx: &Ctx, order: OrderRow) -> Result<(), PaymentError> {
        let id = order.id;
        if let Some(session) = &order.stripe_checkout_session_id {
            let key = IdempotencyKey::of("expire", id)?;
            match self.stripe()?.expire_checkout_session(&key, session).await {
                Ok(_) => {}
                Err(error) if error.is_retryable() => return Err(error.into()),
                // It is open no more, so it may have been paid.
                Err(error) => {
                    tracing::debug!(order = %id, %error, "a checkout cannot be closed");
                    let object = StripeObject::CheckoutSession(session.clone());
                    self.converge(ctx, &object).await?;
                }
            }
        }
        // Without a known page there is none whose address anybody has.
        let mut tx = self.parts.db.begin_for(ctx).await?;
        orders::close(&mut tx, id, "expired").await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether Stripe has answered for good, under this key.
fn is_settled(error: &StripeError) -> bool {
    matches!(error, StripeError::Api { status, .. } if !matches!(status, 401 | 403 | 409 | 429))
        && !error.has_code("idempotency_key_in_use")
}

/// docs.stripe.com/api/checkout/sessions/create
fn form(order: &OrderRow, customer: &str, item: &Value) -> Value {
    let metadata = json!({ "order_id": order.id, "user_id": order.user_id });
    let mut form = json!({
        "customer": customer,
        "client_reference_id": order.user_id,
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        "expires_at": order.expires_at.timestamp(),
        "line_items": item,
        "metadata": metadata,
    });
    if order.plan_id.is_some() {
        form["mode"] = "subscription".into();
        form["allow_promotion_codes"] = true.into();
        form["subscription_data"] = json!({ "metadata": metadata });
    } else {
        // No codes: what is granted is what the order says was paid for.
        form["mode"] = "payment".into();
        form["payment_intent_data"] = json!({ "metadata": metadata });
    }
    form
}
