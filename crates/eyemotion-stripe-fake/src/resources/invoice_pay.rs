//! From draft to open to paid, or not.
//! <https://docs.stripe.com/billing/invoices/subscription>

use super::intents::{self, Outcome};
use super::{invoice_payments, pricing, subscription_status};
use crate::card::Card;
use crate::document::Document;
use crate::error::StripeError;
use crate::state::State;
use serde_json::{Value, json};

/// Numbers a draft, settles it with the customer's balance, and opens a payment for what is left.
pub fn finalize(state: &mut State, id: &str) {
    let invoice = state.get(id);
    let customer = state.get(invoice.text("customer"));
    let number = customer.number("next_invoice_sequence");
    let prefix = customer.text("invoice_prefix").to_owned();
    let (due, balance) = settle(&invoice);
    let patch = json!({ "balance": balance, "next_invoice_sequence": number + 1 });
    state.change(customer.id(), &patch);
    if balance != customer.number("balance") {
        state.emit("customer.updated", customer.id());
    }
    let mut transitions = invoice["status_transitions"].clone();
    transitions["finalized_at"] = state.now.into();
    state.change(
        id,
        &json!({
            "amount_due": due,
            "amount_remaining": due,
            "automatically_finalizes_at": null,
            "effective_at": state.now,
            "ending_balance": balance,
            "hosted_invoice_url": format!("https://invoice.stripe.com/i/acct_fake/{id}"),
            "invoice_pdf": format!("https://pay.stripe.com/invoice/acct_fake/{id}/pdf"),
            "number": format!("{prefix}-{number:04}"),
            "status": "open",
            "status_transitions": transitions,
        }),
    );
    state.emit("invoice.finalized", id);
    if due == 0 {
        paid(state, id);
        return;
    }
    let asked = intents::Asked {
        amount: due,
        currency: invoice.text("currency"),
        customer: Some(customer.id()),
        description: Some("Subscription"),
        metadata: json!({}),
        methods: json!(["card"]),
    };
    let intent = intents::create(state, &asked);
    invoice_payments::create(state, id, &intent, due);
}

/// What is due, and the customer's balance afterwards. An amount under the minimum waits on the balance.
pub fn settle(invoice: &Value) -> (i64, i64) {
    let wanted = invoice.number("total") + invoice.number("starting_balance");
    let currency = invoice.text("currency");
    if wanted < pricing::minimum(currency) {
        (0, wanted)
    } else {
        (wanted, 0)
    }
}

/// What a customer's invoices are charged to.
pub fn card_of(state: &State, invoice: &Value) -> Card {
    let card = state.cards.get(invoice.text("customer"));
    card.copied().unwrap_or(Card::Declined)
}

/// Charges an open invoice.
pub fn attempt(state: &mut State, id: &str, card: Card) -> Outcome {
    let invoice = state.get(id);
    if invoice.text("status") == "paid" {
        return Outcome::Succeeded;
    }
    let tries = invoice.number("attempt_count") + 1;
    state.change(id, &json!({ "attempt_count": tries, "attempted": true }));
    let Some(payment) = invoice_payments::of_invoice(state, id) else {
        return Outcome::Failed;
    };
    let intent = payment["payment"].text("payment_intent").to_owned();
    let outcome = intents::confirm(state, &intent, card, None);
    match outcome {
        Outcome::Succeeded => paid(state, id),
        Outcome::Processing => {}
        Outcome::Failed | Outcome::RequiresAction => unpaid(state, id, outcome),
    }
    outcome
}

/// The invoice is paid, and what hangs on it happens.
pub fn paid(state: &mut State, id: &str) {
    let invoice = state.get(id);
    let mut transitions = invoice["status_transitions"].clone();
    transitions["paid_at"] = state.now.into();
    state.change(
        id,
        &json!({
            "amount_paid": invoice["amount_due"],
            "amount_remaining": 0,
            "attempted": true,
            "auto_advance": false,
            "next_payment_attempt": null,
            "status": "paid",
            "status_transitions": transitions,
        }),
    );
    if let Some(payment) = invoice_payments::of_invoice(state, id) {
        invoice_payments::paid(state, payment.id());
    }
    subscription_status::after_payment(state, id);
    state.emit("invoice.paid", id);
    state.emit("invoice.payment_succeeded", id);
}

fn unpaid(state: &mut State, id: &str, outcome: Outcome) {
    let invoice = state.get(id);
    let failed = usize::try_from(invoice.number("attempt_count") - 1).unwrap_or(0);
    // The first payment of a subscription and a change that waits for its money are not tried again.
    let once =
        invoice.text("billing_reason") == "subscription_create" || state.proposals.contains_key(id);
    let wait = state
        .settings
        .retries
        .get(failed)
        .copied()
        .filter(|_| !once);
    let next = wait.map(|wait| state.now + wait);
    state.change(id, &json!({ "next_payment_attempt": next }));
    if outcome == Outcome::RequiresAction {
        state.emit("invoice.payment_action_required", id);
    }
    state.emit("invoice.payment_failed", id);
    subscription_status::after_failure(state, id, next.is_none() && !once);
}

/// The 402 that tells why an invoice was not paid.
pub fn refusal(state: &State, id: &str, outcome: Outcome) -> StripeError {
    let payment = invoice_payments::of_invoice(state, id).unwrap_or_default();
    let intent = state.get(payment["payment"].text("payment_intent"));
    if outcome == Outcome::RequiresAction {
        return StripeError::card(
            "invoice_payment_intent_requires_action",
            None,
            "This payment requires additional user action before it can be completed successfully.",
            intent,
        );
    }
    let error = &intent["last_payment_error"];
    let decline = error.text("decline_code").to_owned();
    let message = error.text("message").to_owned();
    let code = if error.text("code") == "expired_card" {
        "expired_card"
    } else {
        "card_declined"
    };
    StripeError::card(code, Some(&decline), &message, intent)
}

/// The invoice that an intent pays.
pub fn invoice_of(state: &State, intent: &str) -> Option<String> {
    let mut payments = state.all("invoice_payment");
    payments
        .find(|it| it["payment"].text("payment_intent") == intent)
        .map(|it| it.text("invoice").to_owned())
}

/// The owner has confirmed a charge that waited for it, or has not.
pub fn authenticated(state: &mut State, intent: &str, ok: bool) -> Result<(), StripeError> {
    let document = state.need("payment_intent", intent, "intent")?;
    if document.text("status") != "requires_action" {
        return Err(StripeError::invalid(
            "This PaymentIntent does not wait for its owner.",
        ));
    }
    let invoice = invoice_of(state, intent);
    if ok {
        intents::succeed(state, intent, Card::Requires3ds);
        if let Some(invoice) = invoice {
            paid(state, &invoice);
        }
        return Ok(());
    }
    let why = (
        "payment_intent_authentication_failure",
        "authentication_failed",
        "The customer did not confirm the payment.",
    );
    let method = document.text("payment_method");
    let charge = super::charges::failed(state, &document, method, Card::Requires3ds, why);
    intents::fail(state, intent, &charge, method, why);
    if let Some(invoice) = invoice {
        unpaid(state, &invoice, Outcome::Failed);
    }
    Ok(())
}
