//! Who the caller is to Stripe.

use super::PaymentError;
use super::service::PaymentsService;
use crate::repository::orders;
use crate::stripe::IdempotencyKey;
use eyemotion_core::{Ctx, UserId};
use serde_json::json;

impl PaymentsService {
    /// The person's customer, made when first needed. Whoever asks at the same time gets the same
    /// one: the key is made of the person.
    pub(super) async fn customer(&self, ctx: &Ctx, user: UserId) -> Result<String, PaymentError> {
        let (known, contact) = {
            let mut tx = self.parts.db.begin_for(ctx).await?;
            let known = orders::lock_customer(&mut tx, user).await?;
            let contact = orders::contact(&mut tx, user).await?;
            tx.commit().await?;
            (known, contact)
        };
        let key = match (known.stripe_customer_id, known.deleted_at) {
            (Some(id), None) => return Ok(id),
            // Deleted at Stripe's by an operator: another one takes its place.
            (Some(id), Some(_)) => IdempotencyKey::of("customer", format!("{user}:{id}"))?,
            (None, _) => IdempotencyKey::of("customer", user)?,
        };
        let (email, name) = contact.ok_or(PaymentError::Unauthenticated)?;
        let mut form = json!({ "email": email, "metadata": { "user_id": user } });
        if !name.is_empty() {
            form["name"] = name.into();
        }
        let made = self.stripe()?.create_customer(&key, &form).await;
        let made = match made {
            // The name has changed since a call whose answer got lost.
            Err(error) if error.is_key_reused() => {
                let key = IdempotencyKey::of("customer", self.parts.clock.new_id())?;
                self.stripe()?.create_customer(&key, &form).await?
            }
            made => made?,
        };
        let mut tx = self.parts.db.begin_for(ctx).await?;
        let known = orders::lock_customer(&mut tx, user).await?;
        if let (Some(id), None) = (known.stripe_customer_id, known.deleted_at) {
            return Ok(id);
        }
        orders::set_customer(&mut tx, user, &made.id).await?;
        tx.commit().await?;
        Ok(made.id)
    }
}
