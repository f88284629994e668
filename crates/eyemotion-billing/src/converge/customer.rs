//! Customers: the card that is shown, and whether they are still there.

use super::{ConvergeError, Round};
use crate::repository::{billed_subscriptions as subscriptions, customer_copies};
use crate::stripe::objects::Card;
use serde_json::{Value, json};

impl Round<'_> {
    /// Follows a customer. One that was deleted has no card, and its subscriptions have ended.
    pub(super) async fn customer(&mut self, id: &str) -> Result<(), ConvergeError> {
        let theirs = match self.on.stripe.customer(id).await {
            Ok(theirs) => Some(theirs).filter(|theirs| !theirs.deleted),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let Some(theirs) = theirs else {
            return self.gone(id).await;
        };
        let settings = theirs.invoice_settings;
        let Some(method) = settings.and_then(|settings| settings.default_payment_method) else {
            return Ok(());
        };
        let method = self.on.stripe.payment_method(&method.0).await?;
        if let Some(card) = method.card.as_ref().map(shown) {
            customer_copies::set_card(self.tx, self.user, &card).await?;
        }
        Ok(())
    }

    async fn gone(&mut self, id: &str) -> Result<(), ConvergeError> {
        let since = customer_copies::deleted_at(self.tx, id).await?;
        let since = since.unwrap_or_else(|| self.on.clock.now());
        customer_copies::set_deleted(self.tx, id, since).await?;
        if let Some(live) = subscriptions::live(self.tx, self.user).await?
            && let Some(subscription) = live.stripe_subscription_id
        {
            Box::pin(self.subscription(&subscription)).await?;
        }
        Ok(())
    }
}

/// What is shown of a card.
pub(super) fn shown(card: &Card) -> Value {
    let Card {
        brand,
        last4,
        exp_month,
        exp_year,
        ..
    } = card;
    json!({ "brand": brand, "last4": last4, "expMonth": exp_month, "expYear": exp_year })
}
