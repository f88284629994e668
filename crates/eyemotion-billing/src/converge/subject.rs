//! Whose object it is. The answer never changes, so it may be found before the lock is taken.

use super::{ConvergeError, Convergence, StripeObject};
use crate::repository::{customer_copies, order_outcomes};
use crate::stripe::objects::{CheckoutSession, Reference};
use eyemotion_core::{Ctx, UserId};
use uuid::Uuid;

impl Convergence {
    /// The person whose object it is: by our rows, else by the customer that Stripe names.
    ///
    /// # Errors
    /// [`ConvergeError::Nobodys`], or that Stripe or the database does not answer.
    pub(super) async fn subject(
        &self,
        ctx: &Ctx,
        object: &StripeObject,
    ) -> Result<UserId, ConvergeError> {
        if let Some(user) = self.known(ctx, object.id()).await? {
            return Ok(user);
        }
        let customer = match object {
            StripeObject::Customer(id) => Some(id.clone()),
            StripeObject::CheckoutSession(id) => {
                let session = self.stripe.checkout_session(id).await?;
                if let Some(user) = self.orderer(ctx, order_of(&session)).await? {
                    return Ok(user);
                }
                session.customer.map(|it| it.0)
            }
            StripeObject::Subscription(id) => Some(self.stripe.subscription(id).await?.customer.0),
            StripeObject::Invoice(id) => id_of(self.stripe.invoice(id).await?.customer),
            StripeObject::PaymentIntent(id) => return self.payer(ctx, id).await,
            StripeObject::Charge(id) => {
                let charge = self.stripe.charge(id).await?;
                match (charge.customer, charge.payment_intent) {
                    (None, Some(intent)) => return self.payer(ctx, &intent.0).await,
                    (customer, _) => id_of(customer),
                }
            }
            StripeObject::Dispute(id) => {
                let dispute = self.stripe.dispute(id).await?;
                return self
                    .charged(ctx, dispute.payment_intent, Some(dispute.charge))
                    .await;
            }
            StripeObject::FraudWarning(id) => {
                let warning = self.stripe.early_fraud_warning(id).await?;
                return self.charged(ctx, None, Some(warning.charge)).await;
            }
            StripeObject::Review(id) => {
                let review = self.stripe.review(id).await?;
                return self
                    .charged(ctx, review.payment_intent, review.charge)
                    .await;
            }
        };
        self.person(ctx, object, customer).await
    }

    async fn known(&self, ctx: &Ctx, id: &str) -> Result<Option<UserId>, ConvergeError> {
        let mut tx = self.db.read(ctx).await?;
        Ok(customer_copies::owner_of(&mut tx, id).await?)
    }

    async fn orderer(
        &self,
        ctx: &Ctx,
        order: Option<Uuid>,
    ) -> Result<Option<UserId>, ConvergeError> {
        let Some(order) = order else {
            return Ok(None);
        };
        let mut tx = self.db.read(ctx).await?;
        Ok(order_outcomes::orderer(&mut tx, order).await?)
    }

    async fn payer(&self, ctx: &Ctx, intent: &str) -> Result<UserId, ConvergeError> {
        if let Some(user) = self.known(ctx, intent).await? {
            return Ok(user);
        }
        let object = StripeObject::PaymentIntent(intent.to_owned());
        let customer = id_of(self.stripe.payment_intent(intent).await?.customer);
        self.person(ctx, &object, customer).await
    }

    async fn charged(
        &self,
        ctx: &Ctx,
        intent: Option<Reference>,
        charge: Option<Reference>,
    ) -> Result<UserId, ConvergeError> {
        match (intent, charge) {
            (Some(intent), _) => self.payer(ctx, &intent.0).await,
            (None, Some(charge)) => {
                let charge = StripeObject::Charge(charge.0);
                Box::pin(self.subject(ctx, &charge)).await
            }
            (None, None) => Err(ConvergeError::Nobodys(
                "a payment without a charge".to_owned(),
            )),
        }
    }

    async fn person(
        &self,
        ctx: &Ctx,
        object: &StripeObject,
        customer: Option<String>,
    ) -> Result<UserId, ConvergeError> {
        let nobodys = || ConvergeError::Nobodys(object.to_string());
        let mut tx = self.db.read(ctx).await?;
        let customer = customer.ok_or_else(nobodys)?;
        let person = customer_copies::person(&mut tx, &customer).await?;
        person.ok_or_else(nobodys)
    }
}

fn id_of(reference: Option<Reference>) -> Option<String> {
    reference.map(|it| it.0)
}

/// The order that a checkout session says it is for.
pub(super) fn order_of(session: &CheckoutSession) -> Option<Uuid> {
    session.metadata.get("order_id")?.parse().ok()
}
