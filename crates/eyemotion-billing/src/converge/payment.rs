//! Payments, whichever way they came: how they went, and what went back of them.

use super::customer::shown;
use super::{ConvergeError, Round};
use crate::ledger::reversal_target;
use crate::repository::disputes::{self, DisputeRow};
use crate::repository::transactions::{self as payments, KnownPayment, PaymentRow, RefundRow};
use crate::repository::{customer_copies, lots, order_outcomes, warnings};
use crate::stripe::objects::{Charge, Dispute, PaymentIntent, Refund};
use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, UserId};
use uuid::Uuid;

/// How a payment went, as Stripe has it now.
pub(super) struct Paid {
    pub intent: PaymentIntent,
    refunds: Vec<Refund>,
    disputes: Vec<Dispute>,
}

impl Paid {
    fn charge(&self) -> Option<&Charge> {
        self.intent.latest_charge.as_ref()?.whole()
    }

    pub(super) fn charge_id(&self) -> Option<String> {
        self.charge().map(|charge| charge.id.clone())
    }

    pub(super) fn receipt_url(&self) -> Option<String> {
        self.charge().and_then(|charge| charge.receipt_url.clone())
    }

    pub(super) fn failure(&self) -> Option<String> {
        let error = self.intent.last_payment_error.as_ref()?;
        let text = error.message.as_ref()?;
        Some(text.chars().take(1000).collect())
    }

    /// When the money came.
    pub(super) fn at(&self) -> Option<DateTime<Utc>> {
        self.charge().map(|charge| charge.created)
    }
}

impl Round<'_> {
    /// Fetches what is to be known of a payment.
    pub(super) async fn paid(&self, intent: &str) -> Result<Paid, ConvergeError> {
        let stripe = &self.on.stripe;
        let intent = stripe.payment_intent(intent).await?;
        // A failed refund is no longer counted in the charge, and undoes what it did.
        let (refunds, disputes) = if intent.latest_charge.is_some() {
            (
                stripe.refunds_of(&intent.id).await?,
                stripe.disputes_of(&intent.id).await?,
            )
        } else {
            (Vec::new(), Vec::new())
        };
        Ok(Paid {
            intent,
            refunds,
            disputes,
        })
    }

    /// Follows an intent through what it pays for. One that pays for nothing that we sell is none of
    /// ours.
    pub(super) async fn payment_intent(&mut self, id: &str) -> Result<(), ConvergeError> {
        if let Some(payment) = payments::of_intent(self.tx, id).await? {
            return self.payment(&payment).await;
        }
        if let Some(session) = order_outcomes::session_of_intent(self.tx, id).await? {
            return self.checkout_session(&session).await;
        }
        let theirs = self.on.stripe.payment_intent(id).await?;
        let order = theirs
            .metadata
            .get("order_id")
            .and_then(|id| id.parse().ok());
        if let Some(order) = order
            && let Some(session) = order_outcomes::session_of(self.tx, order).await?
        {
            return self.checkout_session(&session).await;
        }
        let paid = self.on.stripe.invoice_payments_of(id).await?;
        let invoice = paid.into_iter().find_map(|payment| payment.invoice);
        match invoice {
            Some(invoice) => Box::pin(self.invoice(&invoice.0)).await,
            None => Ok(()),
        }
    }

    pub(super) async fn charge(&mut self, id: &str) -> Result<(), ConvergeError> {
        match self.on.stripe.charge(id).await?.payment_intent {
            Some(intent) => self.payment_intent(&intent.0).await,
            None => Ok(()),
        }
    }

    /// Follows a known payment.
    pub(super) async fn payment(&mut self, payment: &KnownPayment) -> Result<(), ConvergeError> {
        match (
            &payment.stripe_invoice_id,
            &payment.stripe_checkout_session_id,
        ) {
            (Some(invoice), _) => Box::pin(self.invoice(invoice)).await,
            (None, Some(session)) => Box::pin(self.checkout_session(session)).await,
            (None, None) => Ok(()),
        }
    }

    /// Writes a payment, then what went back of it.
    pub(super) async fn write_payment(
        &mut self,
        known: Option<KnownPayment>,
        row: PaymentRow,
        created_at: DateTime<Utc>,
        paid: Option<Paid>,
    ) -> Result<(), ConvergeError> {
        let id = if let Some(known) = &known {
            let mut row = row.clone();
            if known.status == "refunded" && row.status == "completed" {
                // Whether it still is, is found out below.
                row.status = "refunded";
            }
            payments::update(self.tx, known.id, &row).await?;
            known.id
        } else {
            let id = self.on.clock.new_id();
            payments::insert(self.tx, id, &row, created_at).await?;
            id
        };
        let is_done = |status: &str| matches!(status, "completed" | "refunded");
        let was_done = known.is_some_and(|known| is_done(&known.status));
        if is_done(row.status) && !was_done {
            self.tell_of_payment(id, &row).await?;
        }
        let Some(paid) = paid else {
            return Ok(());
        };
        let details = paid
            .charge()
            .and_then(|it| it.payment_method_details.as_ref());
        if let Some(card) = details.and_then(|details| details.card.as_ref()) {
            customer_copies::note_card(self.tx, self.user, &shown(card)).await?;
        }
        for refund in &paid.refunds {
            self.write_refund(id, refund).await?;
        }
        for dispute in &paid.disputes {
            disputes::upsert(self.tx, &dispute_row(self.user, id, dispute)).await?;
        }
        if is_done(row.status) {
            self.reverse(id, &row, &paid.refunds).await?;
        }
        Ok(())
    }

    async fn write_refund(&mut self, payment: Uuid, refund: &Refund) -> Result<(), ConvergeError> {
        let status = match refund.status.as_deref() {
            Some("succeeded") => "completed",
            Some("failed") => "failed",
            Some("canceled") => "cancelled",
            _ => "pending",
        };
        let row = RefundRow {
            user_id: self.user.0,
            payment_id: Some(payment),
            stripe_refund_id: refund.id.clone(),
            stripe_payment_intent_id: refund.payment_intent.as_ref().map(|it| it.0.clone()),
            stripe_charge_id: refund.charge.as_ref().map(|it| it.0.clone()),
            amount: refund.amount,
            currency: refund.currency.to_ascii_uppercase(),
            status,
            transaction_type: "refund",
            description: refund.reason.clone().unwrap_or_default(),
            failure_message: refund.failure_reason.clone(),
            processed_at: (status == "completed").then_some(refund.created),
            created_at: refund.created,
        };
        let id = self.on.clock.new_id();
        Ok(payments::upsert_refund(self.tx, id, &row).await?)
    }

    /// Takes back of the payment's credits the share of its money that went back, or gives again;
    /// lets nothing be spent of them while somebody doubts it.
    async fn reverse(
        &mut self,
        id: Uuid,
        row: &PaymentRow,
        refunds: &[Refund],
    ) -> Result<(), ConvergeError> {
        let succeeded = refunds
            .iter()
            .filter(|refund| refund.status.as_deref() == Some("succeeded"));
        let refunded: i64 = succeeded.map(|refund| refund.amount).sum();
        let claims = disputes::of_payment(self.tx, id).await?;
        let disputed: i64 = claims
            .iter()
            .filter(|claim| claim.withdrawn)
            .map(|claim| claim.amount)
            .sum();
        let is_doubted = claims.iter().any(|claim| is_open(&claim.status))
            || warnings::is_doubted(self.tx, id).await?;
        let status = if refunded >= row.amount && row.amount > 0 {
            "refunded"
        } else {
            row.status
        };
        let (most, user) = (row.amount, self.user);
        payments::set_reversed(
            self.tx,
            id,
            refunded.clamp(0, most),
            disputed.clamp(0, most),
            status,
        )
        .await?;
        let grant = &row.metadata["grant"];
        let (Some(kind), Some(source)) = (grant["sourceType"].as_str(), grant["sourceId"].as_str())
        else {
            return Ok(());
        };
        let Some(lot) = lots::of_source(self.tx, user, kind, source).await? else {
            return Ok(());
        };
        let granted = Credits(lot.granted);
        let target = reversal_target(granted, refunded.saturating_add(disputed), row.amount);
        let (ledger, ctx) = (&self.on.ledger, self.ctx);
        ledger
            .set_reversal_target(self.tx, ctx, user, kind, source, target)
            .await?;
        if is_doubted {
            ledger.freeze(self.tx, ctx, user, kind, source).await?;
        } else {
            ledger.unfreeze(self.tx, ctx, user, kind, source).await?;
        }
        Ok(())
    }
}

/// Whether a dispute is still to be decided. Of an inquiry the money is not gone yet, and may
/// never be.
fn is_open(status: &str) -> bool {
    matches!(status, "needs_response" | "under_review")
}

/// A dispute as our row has it.
fn dispute_row(user: UserId, payment: Uuid, dispute: &Dispute) -> DisputeRow {
    DisputeRow {
        stripe_dispute_id: dispute.id.clone(),
        user_id: user.0,
        payment_id: payment,
        amount: dispute.amount,
        currency: dispute.currency.to_ascii_uppercase(),
        status: dispute.status.clone(),
        reason: dispute.reason.clone(),
        evidence_due_at: dispute.evidence_details.as_ref().and_then(|it| it.due_by),
        withdrawn: is_withdrawn(dispute),
        created_at: dispute.created,
    }
}

/// Whether the money of a dispute is gone: lost, or taken and not given back.
fn is_withdrawn(dispute: &Dispute) -> bool {
    match dispute.status.as_str() {
        "lost" => true,
        "won" => false,
        status if status.starts_with("warning_") => false,
        _ => {
            dispute
                .balance_transactions
                .iter()
                .map(|each| each.amount)
                .sum::<i64>()
                < 0
        }
    }
}
