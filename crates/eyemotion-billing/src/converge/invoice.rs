//! Invoices: what was paid for subscriptions, and the credits that it brings.

use super::included::{self, Included, PlanLine, UPGRADE, period_name};
use super::payment::Paid;
use super::{ConvergeError, Round};
use crate::ledger::LotGrant;
use crate::model::LotKind;
use crate::period::Period;
use crate::repository::billed_subscriptions::KnownSubscription;
use crate::repository::lots;
use crate::repository::transactions::{self as payments, PaymentRow};
use crate::stripe::objects::Invoice;
use eyemotion_core::Credits;
use serde_json::json;

impl Round<'_> {
    /// Follows an invoice with its subscription, its payment and what went back of it.
    pub(super) async fn invoice(&mut self, id: &str) -> Result<(), ConvergeError> {
        let theirs = self.on.stripe.invoice(id).await?;
        // First: what came with the free plan ends before that of the paid one comes.
        let ours = match theirs.subscription() {
            Some(id) => Some(Box::pin(self.subscription(id)).await?),
            None => None,
        };
        if theirs.status.as_deref() == Some("draft") {
            return Ok(());
        }
        let brings = match &ours {
            Some(ours) => self.brings(&theirs, ours).await?,
            None => None,
        };
        let is_paid = theirs.status.as_deref() == Some("paid");
        if is_paid && let (Some(brings), Some(ours)) = (&brings, &ours) {
            self.grant_included(&theirs, brings, ours).await?;
        }
        if theirs.total == 0 && theirs.amount_paid == 0 {
            return Ok(());
        }
        let paid = match intent_of(&theirs) {
            Some(intent) => Some(self.paid(intent).await?),
            None => None,
        };
        let row = self.invoice_row(&theirs, ours.as_ref(), brings.as_ref(), paid.as_ref());
        let known = payments::of_invoice(self.tx, id).await?;
        self.write_payment(known, row, theirs.created, paid).await
    }

    fn invoice_row(
        &self,
        theirs: &Invoice,
        ours: Option<&KnownSubscription>,
        brings: Option<&Included>,
        paid: Option<&Paid>,
    ) -> PaymentRow {
        let status = match theirs.status.as_deref() {
            Some("paid") => "completed",
            Some("void") => "cancelled",
            Some("uncollectible") => "failed",
            _ if theirs.attempt_count > 0 => "failed",
            _ => "pending",
        };
        let amount = if status == "completed" {
            theirs.amount_paid
        } else {
            theirs.amount_due
        };
        let grant = brings.map(
            |brings| json!({ "sourceType": brings.source_type, "sourceId": brings.source_id }),
        );
        PaymentRow {
            user_id: self.user.0,
            subscription_id: ours.map(|ours| ours.id),
            plan_id: brings
                .map(|brings| brings.plan)
                .or(ours.map(|ours| ours.plan_id)),
            order_id: None,
            stripe_payment_intent_id: intent_of(theirs).map(str::to_owned),
            stripe_invoice_id: Some(theirs.id.clone()),
            stripe_checkout_session_id: None,
            stripe_charge_id: paid.and_then(Paid::charge_id),
            amount: amount.max(0),
            tax_amount: theirs.tax().clamp(0, amount.max(0)),
            currency: theirs.currency.to_ascii_uppercase(),
            status,
            transaction_type: if ours.is_some() {
                "subscription"
            } else {
                "one_time"
            },
            description: description_of(theirs),
            invoice_url: theirs.hosted_invoice_url.clone(),
            invoice_pdf: theirs.invoice_pdf.clone(),
            receipt_url: paid.and_then(Paid::receipt_url),
            failure_message: paid.and_then(Paid::failure).filter(|_| status == "failed"),
            metadata: json!({ "reason": theirs.billing_reason, "grant": grant }),
            processed_at: theirs.status_transitions.paid_at,
        }
    }

    /// The credits that an invoice brings once it is paid.
    async fn brings(
        &mut self,
        theirs: &Invoice,
        ours: &KnownSubscription,
    ) -> Result<Option<Included>, ConvergeError> {
        let reasons = [
            "subscription_create",
            "subscription_cycle",
            "subscription_update",
        ];
        if !reasons.contains(&theirs.billing_reason.as_deref().unwrap_or_default()) {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for line in &theirs.lines.data {
            let Some(price) = line.price() else {
                continue;
            };
            lines.push(PlanLine {
                plan: self.plan_of_price(price).await?,
                period: Period {
                    start: line.period.start,
                    end: line.period.end,
                },
                is_proration: line.is_proration(),
                amount: line.amount,
            });
        }
        let trial = match (ours.trial_start, ours.trial_end) {
            (Some(start), Some(end)) => Some(Period { start, end }),
            _ => None,
        };
        let present = Period {
            start: ours.current_period_start,
            end: ours.current_period_end,
        };
        // A period that is over by now: its day of the month is that of the present one.
        let whole = |moment| {
            if (present.start..present.end).contains(&moment) {
                present
            } else {
                Period::around(moment, ours.created_at)
            }
        };
        Ok(included::included(ours.id, &lines, trial, whole))
    }

    /// Follows what was paid for the same subscription before, whether it was told of or not.
    async fn invoices_before(&mut self, theirs: &Invoice) -> Result<(), ConvergeError> {
        let Some(customer) = &theirs.customer else {
            return Ok(());
        };
        let mut before = self.on.stripe.invoices_of(&customer.0).await?;
        before.retain(|each| {
            each.created < theirs.created
                && each.status.as_deref() == Some("paid")
                && each.subscription() == theirs.subscription()
        });
        before.sort_by_key(|each| each.created);
        for each in before {
            if payments::of_invoice(self.tx, &each.id).await?.is_none() {
                Box::pin(self.invoice(&each.id)).await?;
            }
        }
        Ok(())
    }

    async fn grant_included(
        &mut self,
        theirs: &Invoice,
        brings: &Included,
        ours: &KnownSubscription,
    ) -> Result<(), ConvergeError> {
        let known = lots::of_source(self.tx, self.user, brings.source_type, &brings.source_id);
        if known.await?.is_some() {
            return Ok(());
        }
        let mut credits = brings.credits.0;
        if brings.source_type == UPGRADE {
            let name = period_name(ours.id, brings.period.start);
            // Nothing is added to a period before its own credits have come.
            self.invoices_before(theirs).await?;
            let granted = lots::granted_for(self.tx, self.user, &name, &brings.source_id).await?;
            credits = credits.min(brings.most.0.saturating_sub(granted));
        }
        // What ended before its period's end takes its credits along.
        let ended = ours.ended_at.filter(|_| !ours.is_live());
        let grant = LotGrant {
            user: self.user,
            credits: Credits(credits),
            kind: LotKind::Included,
            source_type: brings.source_type,
            source_id: brings.source_id.clone(),
            reason: brings.source_type.to_owned(),
            expires_at: Some(ended.unwrap_or(brings.period.end).min(brings.period.end)),
        };
        self.grant_once(grant).await
    }
}

/// The intent that paid, or is to pay.
fn intent_of(invoice: &Invoice) -> Option<&str> {
    let payments = || invoice.payments.data.iter();
    let paid = payments().find(|payment| payment.status == "paid");
    let open = || payments().rfind(|payment| payment.status == "open");
    let payment = &paid.or_else(open)?.payment;
    Some(payment.payment_intent.as_ref()?.0.as_str())
}

/// What it is for: its last line, which is the plan that goes on.
fn description_of(invoice: &Invoice) -> String {
    let line = invoice.lines.data.last();
    let text = line
        .and_then(|line| line.description.as_deref())
        .unwrap_or_default();
    text.chars().take(1000).collect()
}
