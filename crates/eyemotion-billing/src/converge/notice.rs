//! What people are written about their payments.

use super::{ConvergeError, Convergence, Round, StripeObject};
use crate::repository::billed_subscriptions as subscriptions;
use crate::repository::customer_copies;
use crate::repository::transactions::{self as payments, PaymentRow};
use crate::webhook::Notice;
use chrono::SecondsFormat;
use eyemotion_core::{Ctx, EmailAddress, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Activity, Mail};
use serde_json::{Map, Value, json};
use uuid::Uuid;

impl Round<'_> {
    /// Money came: a line in the person's log and a mail.
    pub(super) async fn tell_of_payment(
        &mut self,
        payment: Uuid,
        row: &PaymentRow,
    ) -> Result<(), ConvergeError> {
        let details = json!({ "amount": row.amount, "currency": row.currency });
        let activity = Activity::new("payment.completed", "payment", payment)
            .of(self.user)
            .with(details);
        self.record(activity).await?;
        let link = row.invoice_url.as_ref().or(row.receipt_url.as_ref());
        let data = [
            ("amount", Some(written(row.amount, &row.currency))),
            (
                "item",
                Some(row.description.clone()).filter(|text| !text.is_empty()),
            ),
            ("link", link.cloned()),
        ];
        let (on, ctx, user) = (self.on, self.ctx, self.user);
        on.mail(self.tx, ctx, user, "payment_received", data)
            .await?;
        Ok(())
    }
}

impl Convergence {
    /// Tells the person of an event about this object, if it still matters.
    pub(crate) async fn tell(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        object: &StripeObject,
        notice: Notice,
    ) -> Result<(), DbError> {
        match notice {
            Notice::PaymentFailed | Notice::ActionRequired => {
                let Some(payment) = payments::of_invoice(tx, object.id()).await? else {
                    return Ok(());
                };
                if matches!(
                    payment.status.as_str(),
                    "completed" | "refunded" | "cancelled"
                ) {
                    return Ok(());
                }
                let template = match notice {
                    Notice::ActionRequired => "payment_action_required",
                    _ => "payment_failed",
                };
                let data = [
                    ("amount", Some(written(payment.amount, &payment.currency))),
                    ("link", payment.invoice_url),
                ];
                self.mail(tx, ctx, UserId(payment.user_id), template, data)
                    .await
            }
            Notice::TrialEnds => {
                let Some(ours) = subscriptions::find(tx, object.id()).await? else {
                    return Ok(());
                };
                let at = ours.trial_end.filter(|end| *end > self.clock.now());
                let Some(at) = at.filter(|_| ours.is_live()) else {
                    return Ok(());
                };
                let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
                let data = [("at", Some(at))];
                self.mail(tx, ctx, UserId(ours.user_id), "trial_ends", data)
                    .await
            }
        }
    }

    /// Whoever has left, or has no address, is not written to.
    async fn mail<const N: usize>(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        template: &'static str,
        data: [(&'static str, Option<String>); N],
    ) -> Result<(), DbError> {
        let address = customer_copies::email(tx, user).await?;
        let Some(to) = address.and_then(|address| EmailAddress::parse(&address).ok()) else {
            return Ok(());
        };
        let data = data.into_iter();
        let data: Map<String, Value> = data
            .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
            .collect();
        let mail = Mail {
            to,
            user: Some(user),
            template,
            data,
        };
        self.outbox.post(tx, ctx, mail).await
    }
}

/// An amount as people write it: `299.00 THB`. Currencies without a minor unit are written whole
/// (docs.stripe.com/currencies#zero-decimal).
fn written(amount: i64, currency: &str) -> String {
    if matches!(currency, "JPY" | "KRW" | "VND" | "CLP") {
        return format!("{amount} {currency}");
    }
    let (whole, rest) = (amount / 100, amount % 100);
    format!("{whole}.{rest:02} {currency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_do() {
        assert_eq!(written(29_900, "THB"), "299.00 THB");
        assert_eq!(written(5, "THB"), "0.05 THB");
        assert_eq!(written(500, "JPY"), "500 JPY");
    }
}
