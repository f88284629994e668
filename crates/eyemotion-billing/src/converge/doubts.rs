//! Payments that somebody doubts: the card's owner, the bank, Stripe.

use super::{ConvergeError, Round};
use crate::repository::transactions::{self as payments, KnownPayment};
use crate::repository::warnings::{self, WarningRow};
use crate::stripe::objects::Reference;

impl Round<'_> {
    /// Follows a dispute: its payment is looked at anew, all its disputes with it.
    pub(super) async fn dispute(&mut self, id: &str) -> Result<(), ConvergeError> {
        let theirs = self.on.stripe.dispute(id).await?;
        let payment = self
            .payment_of(theirs.payment_intent, Some(theirs.charge))
            .await?;
        self.payment(&payment).await
    }

    /// Follows an early fraud warning. It is open until the payment is refunded or disputed.
    pub(super) async fn fraud_warning(&mut self, id: &str) -> Result<(), ConvergeError> {
        let theirs = self.on.stripe.early_fraud_warning(id).await?;
        let payment = self.payment_of(None, Some(theirs.charge)).await?;
        let row = WarningRow {
            stripe_id: theirs.id,
            user_id: self.user.0,
            payment_id: Some(payment.id),
            kind: "early_fraud_warning",
            // Nothing is left to act on once all of it went back.
            open: theirs.actionable && payment.status != "refunded",
            reason: theirs.fraud_type,
        };
        warnings::upsert(self.tx, &row).await?;
        self.payment(&payment).await
    }

    /// Follows a review.
    pub(super) async fn review(&mut self, id: &str) -> Result<(), ConvergeError> {
        let theirs = self.on.stripe.review(id).await?;
        let payment = self
            .payment_of(theirs.payment_intent, theirs.charge)
            .await?;
        let row = WarningRow {
            stripe_id: theirs.id,
            user_id: self.user.0,
            payment_id: Some(payment.id),
            kind: "review",
            open: theirs.open,
            reason: theirs.closed_reason.unwrap_or(theirs.reason),
        };
        warnings::upsert(self.tx, &row).await?;
        self.payment(&payment).await
    }

    /// The payment that is doubted; if it is not known yet, what it pays for is looked at first.
    async fn payment_of(
        &mut self,
        intent: Option<Reference>,
        charge: Option<Reference>,
    ) -> Result<KnownPayment, ConvergeError> {
        let intent = match (intent, charge) {
            (Some(intent), _) => Some(intent),
            (None, Some(charge)) => self.on.stripe.charge(&charge.0).await?.payment_intent,
            (None, None) => None,
        };
        let Some(Reference(intent)) = intent else {
            return Err(ConvergeError::Nobodys(
                "a payment without an intent".to_owned(),
            ));
        };
        if let Some(payment) = payments::of_intent(self.tx, &intent).await? {
            return Ok(payment);
        }
        self.payment_intent(&intent).await?;
        let found = payments::of_intent(self.tx, &intent).await?;
        found.ok_or_else(|| ConvergeError::NotYet(format!("what {intent} pays for")))
    }
}
