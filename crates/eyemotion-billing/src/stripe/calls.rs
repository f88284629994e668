//! One method for each call; what is asked of Stripe stands here, and what it means in the modules
//! that ask.

use super::objects::{
    Charge, CheckoutSession, Customer, Dispute, EarlyFraudWarning, Event, Invoice, InvoicePayment,
    List, PaymentIntent, PaymentMethod, PortalSession, Price, Product, PromotionCode, Refund,
    Review, Subscription, SubscriptionSchedule,
};
use super::{IdempotencyKey, Stripe, StripeError};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// How many of a list are asked for at once; Stripe's most.
const PAGE: usize = 100;

/// An id that Stripe gave is letters, digits and underscores; whatever else comes in a path's place
/// belongs to nobody.
fn checked(id: &str) -> Result<&str, StripeError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !id.is_empty() && id.len() <= 255 && id.bytes().all(fits) {
        Ok(id)
    } else {
        Err(StripeError::not_found())
    }
}

/// Asks for one object by its id.
macro_rules! retrieve {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $path:literal, [$($expand:literal),*];)*) => {
        impl Stripe {
            $($(#[$doc])* pub(crate) async fn $name(&self, id: &str) -> Result<$type, StripeError> {
                let expand: &[&str] = &[$($expand),*];
                self.get(&format!("/{}/{}", $path, checked(id)?), &json!({ "expand": expand })).await
            })*
        }
    };
}

retrieve! {
    /// With its payment and the charge of that.
    checkout_session: CheckoutSession = "checkout/sessions", ["payment_intent.latest_charge"];
    /// With its newest invoice, planned changes and discounts.
    subscription: Subscription = "subscriptions",
        ["latest_invoice", "schedule", "discounts.source.coupon"];
    /// With its payments and what confirms the one that is due.
    invoice: Invoice = "invoices", ["payments", "confirmation_secret"];
    /// With its newest charge.
    payment_intent: PaymentIntent = "payment_intents", ["latest_charge"];
    charge: Charge = "charges", [];
    dispute: Dispute = "disputes", [];
    early_fraud_warning: EarlyFraudWarning = "radar/early_fraud_warnings", [];
    review: Review = "reviews", [];
    /// A deleted one says no more than that, and nothing of it can be expanded.
    customer: Customer = "customers", [];
    payment_method: PaymentMethod = "payment_methods", [];
    price: Price = "prices", [];
    subscription_schedule: SubscriptionSchedule = "subscription_schedules", [];
}

impl Stripe {
    /// Every object of a list, page by page.
    async fn all<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        mut query: Value,
        id: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, StripeError> {
        let mut found: Vec<T> = Vec::new();
        query["limit"] = json!(PAGE);
        loop {
            let page: List<T> = self.get(path, &query).await?;
            let last = page.data.last().map(|last| id(last).to_owned());
            found.extend(page.data);
            match last {
                Some(last) if page.has_more => query["starting_after"] = json!(last),
                _ => return Ok(found),
            }
        }
    }

    /// Every refund of a payment, the failed ones among them.
    pub(crate) async fn refunds_of(
        &self,
        payment_intent: &str,
    ) -> Result<Vec<Refund>, StripeError> {
        let query = json!({ "payment_intent": payment_intent });
        self.all("/refunds", query, |each: &Refund| &each.id).await
    }

    /// Every dispute of a payment.
    pub(crate) async fn disputes_of(
        &self,
        payment_intent: &str,
    ) -> Result<Vec<Dispute>, StripeError> {
        let query = json!({ "payment_intent": payment_intent });
        self.all("/disputes", query, |each: &Dispute| &each.id)
            .await
    }

    /// Which invoice a payment paid, if any.
    pub(crate) async fn invoice_payments_of(
        &self,
        payment_intent: &str,
    ) -> Result<Vec<InvoicePayment>, StripeError> {
        let payment = json!({ "type": "payment_intent", "payment_intent": payment_intent });
        let list: List<_> = self
            .get("/invoice_payments", &json!({ "payment": payment }))
            .await?;
        Ok(list.data)
    }

    /// A page of what happened since `since`, newest first, beyond the event `after`.
    pub(crate) async fn events(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
    ) -> Result<List<Event>, StripeError> {
        let mut query = json!({ "created": { "gte": since.timestamp() }, "limit": PAGE });
        if let Some(after) = after {
            query["starting_after"] = json!(after);
        }
        self.get("/events", &query).await
    }

    /// Every subscription of a customer, the ended ones among them.
    pub(crate) async fn subscriptions_of(
        &self,
        customer: &str,
    ) -> Result<Vec<Subscription>, StripeError> {
        let query = json!({ "customer": customer, "status": "all" });
        self.all("/subscriptions", query, |each: &Subscription| &each.id)
            .await
    }

    /// Every invoice of a customer.
    pub(crate) async fn invoices_of(&self, customer: &str) -> Result<Vec<Invoice>, StripeError> {
        let query = json!({ "customer": customer });
        self.all("/invoices", query, |each: &Invoice| &each.id)
            .await
    }

    /// Every product, with those that are no longer sold.
    pub(crate) async fn products(&self) -> Result<Vec<Product>, StripeError> {
        self.all("/products", json!({}), |each: &Product| &each.id)
            .await
    }

    /// Every price of a product that can still be subscribed to.
    pub(crate) async fn prices_of(&self, product: &str) -> Result<Vec<Price>, StripeError> {
        let query = json!({ "product": product, "active": true });
        self.all("/prices", query, |each: &Price| &each.id).await
    }

    /// The promotion code that people type, whatever its case.
    pub(crate) async fn promotion_code(
        &self,
        code: &str,
    ) -> Result<Option<PromotionCode>, StripeError> {
        let expand = ["data.promotion.coupon"];
        let query = json!({ "code": code, "active": true, "limit": 1, "expand": expand });
        let list: List<PromotionCode> = self.get("/promotion_codes", &query).await?;
        Ok(list.data.into_iter().next())
    }

    /// Makes a product.
    pub(crate) async fn create_product(
        &self,
        key: &IdempotencyKey,
        form: &Value,
    ) -> Result<Product, StripeError> {
        self.post(key, "/products", form).await
    }

    /// Changes a product.
    pub(crate) async fn update_product(
        &self,
        key: &IdempotencyKey,
        id: &str,
        form: &Value,
    ) -> Result<Product, StripeError> {
        self.post(key, &format!("/products/{}", checked(id)?), form)
            .await
    }

    /// Makes a price.
    pub(crate) async fn create_price(
        &self,
        key: &IdempotencyKey,
        form: &Value,
    ) -> Result<Price, StripeError> {
        self.post(key, "/prices", form).await
    }

    /// Changes a price; its amount never changes.
    pub(crate) async fn update_price(
        &self,
        key: &IdempotencyKey,
        id: &str,
        form: &Value,
    ) -> Result<Price, StripeError> {
        self.post(key, &format!("/prices/{}", checked(id)?), form)
            .await
    }

    /// Makes a customer.
    pub(crate) async fn create_customer(
        &self,
        key: &IdempotencyKey,
        form: &Value,
    ) -> Result<Customer, StripeError> {
        self.post(key, "/customers", form).await
    }

    /// Deletes a customer and ends its subscriptions at once.
    pub(crate) async fn delete_customer(&self, id: &str) -> Result<Customer, StripeError> {
        self.delete(&format!("/customers/{}", checked(id)?)).await
    }

    /// Opens a page on which somebody pays.
    pub(crate) async fn create_checkout_session(
        &self,
        key: &IdempotencyKey,
        form: &Value,
    ) -> Result<CheckoutSession, StripeError> {
        self.post(key, "/checkout/sessions", form).await
    }

    /// Closes such a page.
    pub(crate) async fn expire_checkout_session(
        &self,
        key: &IdempotencyKey,
        id: &str,
    ) -> Result<CheckoutSession, StripeError> {
        let path = format!("/checkout/sessions/{}/expire", checked(id)?);
        self.post(key, &path, &json!({})).await
    }

    /// Changes a subscription.
    pub(crate) async fn update_subscription(
        &self,
        key: &IdempotencyKey,
        id: &str,
        form: &Value,
    ) -> Result<Subscription, StripeError> {
        self.post(key, &format!("/subscriptions/{}", checked(id)?), form)
            .await
    }

    /// Ends a subscription at once, without giving anything back.
    pub(crate) async fn cancel_subscription(&self, id: &str) -> Result<Subscription, StripeError> {
        self.delete(&format!("/subscriptions/{}", checked(id)?))
            .await
    }

    /// Makes a schedule of a subscription as it is.
    pub(crate) async fn create_schedule(
        &self,
        key: &IdempotencyKey,
        subscription: &str,
    ) -> Result<SubscriptionSchedule, StripeError> {
        let form = json!({ "from_subscription": subscription });
        self.post(key, "/subscription_schedules", &form).await
    }

    /// Changes a schedule.
    pub(crate) async fn update_schedule(
        &self,
        key: &IdempotencyKey,
        id: &str,
        form: &Value,
    ) -> Result<SubscriptionSchedule, StripeError> {
        self.post(
            key,
            &format!("/subscription_schedules/{}", checked(id)?),
            form,
        )
        .await
    }

    /// Lets a schedule go: the subscription stays as it is.
    pub(crate) async fn release_schedule(
        &self,
        key: &IdempotencyKey,
        id: &str,
    ) -> Result<SubscriptionSchedule, StripeError> {
        let path = format!("/subscription_schedules/{}/release", checked(id)?);
        self.post(key, &path, &json!({})).await
    }

    /// The invoice that a change would bring. Nothing is kept of it at Stripe's.
    pub(crate) async fn create_preview(
        &self,
        key: &IdempotencyKey,
        form: &Value,
    ) -> Result<Invoice, StripeError> {
        self.post(key, "/invoices/create_preview", form).await
    }

    /// Opens the page on which customers look after cards and invoices.
    pub(crate) async fn create_portal_session(
        &self,
        key: &IdempotencyKey,
        customer: &str,
        return_url: &str,
    ) -> Result<PortalSession, StripeError> {
        let form = json!({ "customer": customer, "return_url": return_url });
        self.post(key, "/billing_portal/sessions", &form).await
    }
}
