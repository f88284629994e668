//! Checkout sessions: what became of orders.

use super::payment::Paid;
use super::subject::order_of;
use super::{ConvergeError, Round};
use crate::ledger::LotGrant;
use crate::model::LotKind;
use crate::repository::customer_copies;
use crate::repository::order_outcomes::{self as orders, PlacedOrder};
use crate::repository::transactions::{self as payments, PaymentRow};
use crate::stripe::objects::{CheckoutSession, Expandable};
use chrono::{DateTime, Utc};
use eyemotion_core::Credits;
use serde_json::json;

const ORDER: &str = "payment_order";

impl Round<'_> {
    /// Follows a checkout session with the order that it is for.
    pub(super) async fn checkout_session(&mut self, id: &str) -> Result<(), ConvergeError> {
        let theirs = self.on.stripe.checkout_session(id).await?;
        let order = match orders::of_session(self.tx, id).await? {
            Some(order) => Some(order),
            None => order_of(&theirs),
        };
        let order = match order {
            Some(order) => orders::lock(self.tx, order).await?,
            None => None,
        };
        let Some(order) = order.filter(|order| order.user_id == self.user.0) else {
            return Err(ConvergeError::Nobodys(id.to_owned()));
        };
        if let Some(customer) = &theirs.customer {
            customer_copies::link(self.tx, self.user, &customer.0).await?;
        }
        match theirs.mode.as_str() {
            "payment" => self.pack(&theirs, &order).await,
            "subscription" => self.plan(&theirs, &order).await,
            other => Err(ConvergeError::Odd(format!("{id} is of the mode {other}"))),
        }
    }

    /// Credits bought: given once, when they are paid, and for what stands in the order.
    async fn pack(
        &mut self,
        theirs: &CheckoutSession,
        order: &PlacedOrder,
    ) -> Result<(), ConvergeError> {
        let intent = theirs.payment_intent.as_ref().map(|intent| match intent {
            Expandable::Id(id) => id.clone(),
            Expandable::Whole(intent) => intent.id.clone(),
        });
        let paid = match &intent {
            Some(intent) => Some(self.paid(intent).await?),
            None => None,
        };
        let status = status_of(theirs, paid.as_ref());
        if status == "paid" {
            check_amount(theirs, order)?;
        }
        let paid_at = (status == "paid").then(|| self.paid_at(order, paid.as_ref()));
        orders::set(
            self.tx,
            order.id,
            status,
            &theirs.id,
            intent.as_deref(),
            paid_at,
        )
        .await?;
        let (Some(paid), Some(credits)) = (paid, order.credits) else {
            return Ok(());
        };
        if status == "paid" {
            let grant = LotGrant {
                user: self.user,
                credits: Credits(credits),
                kind: LotKind::Purchased,
                source_type: ORDER,
                source_id: order.id.to_string(),
                reason: LotKind::Purchased.to_string(),
                expires_at: None,
            };
            self.grant_once(grant).await?;
        }
        let row = PaymentRow {
            user_id: self.user.0,
            subscription_id: None,
            plan_id: None,
            order_id: Some(order.id),
            stripe_payment_intent_id: intent,
            stripe_invoice_id: None,
            stripe_checkout_session_id: Some(theirs.id.clone()),
            stripe_charge_id: paid.charge_id(),
            amount: order.amount,
            tax_amount: theirs
                .total_details
                .as_ref()
                .map_or(0, |details| details.amount_tax.clamp(0, order.amount)),
            currency: order.currency.clone(),
            status: match status {
                "paid" => "completed",
                "failed" => "failed",
                "expired" => "cancelled",
                _ => "pending",
            },
            transaction_type: "credit_purchase",
            description: format!("{credits} credits"),
            invoice_url: None,
            invoice_pdf: None,
            receipt_url: paid.receipt_url(),
            failure_message: paid.failure().filter(|_| status == "failed"),
            metadata: json!({
                "credits": credits,
                "grant": { "sourceType": ORDER, "sourceId": order.id },
            }),
            processed_at: paid_at,
        };
        let known = payments::of_order(self.tx, order.id).await?;
        let created = theirs.created.unwrap_or_else(|| self.on.clock.now());
        self.write_payment(known, row, created, Some(paid)).await
    }

    /// A plan: the subscription says what is given, its invoice what was paid.
    async fn plan(
        &mut self,
        theirs: &CheckoutSession,
        order: &PlacedOrder,
    ) -> Result<(), ConvergeError> {
        let status = status_of(theirs, None);
        let paid_at = (status == "paid").then(|| self.paid_at(order, None));
        orders::set(self.tx, order.id, status, &theirs.id, None, paid_at).await?;
        let Some(subscription) = &theirs.subscription else {
            return Ok(());
        };
        let ours = self.subscription(&subscription.0).await?;
        match ours.latest_invoice_id {
            Some(invoice) => self.invoice(&invoice).await,
            None => Ok(()),
        }
    }

    /// When the money came; once written it stays.
    fn paid_at(&self, order: &PlacedOrder, paid: Option<&Paid>) -> DateTime<Utc> {
        let known = order.paid_at.or_else(|| paid.and_then(Paid::at));
        known.unwrap_or_else(|| self.on.clock.now())
    }
}

/// Where an order stands, by its session and payment. What is paid later, as a transfer is,
/// completes the session first.
fn status_of(theirs: &CheckoutSession, paid: Option<&Paid>) -> &'static str {
    let is_paid = matches!(
        theirs.payment_status.as_str(),
        "paid" | "no_payment_required"
    );
    match theirs.status.as_deref() {
        Some("expired") => "expired",
        Some("complete") if is_paid => "paid",
        Some("complete") => match paid.map(|paid| paid.intent.status.as_str()) {
            Some("requires_payment_method" | "canceled") => "failed",
            _ => "processing",
        },
        _ => "open",
    }
}

/// Nobody gets credits for another price than the one that they were offered at.
fn check_amount(theirs: &CheckoutSession, order: &PlacedOrder) -> Result<(), ConvergeError> {
    let amount = theirs.amount_total;
    let currency = theirs.currency.as_deref().unwrap_or_default();
    if theirs.payment_status == "paid"
        && amount == Some(order.amount)
        && currency.eq_ignore_ascii_case(&order.currency)
    {
        return Ok(());
    }
    let (id, wanted) = (&theirs.id, order.amount);
    let amount = amount.unwrap_or_default();
    Err(ConvergeError::Odd(format!(
        "{id}: {amount} {currency} were paid ({}), the order is of {wanted} {}",
        theirs.payment_status, order.currency
    )))
}
