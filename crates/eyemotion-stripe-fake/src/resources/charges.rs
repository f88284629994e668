//! Charges and the balance transactions behind them: <https://docs.stripe.com/api/charges>

use super::payment_methods::{billing_details, checks};
use crate::card::Card;
use crate::document::Document;
use crate::error::Answer;
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// A charge of an intent that the bank has granted; no event yet.
pub fn succeeded(state: &mut State, intent: &Value, card: Card) -> String {
    let id = blank(state, intent, intent.text("payment_method"), card);
    settle(state, &id)
}

/// A charge whose money is under way.
pub fn pending(state: &mut State, intent: &Value, method: &str, card: Card) -> String {
    let id = blank(state, intent, method, card);
    state.change(
        &id,
        &json!({ "status": "pending", "outcome": null, "paid": false }),
    );
    id
}

/// The money of a charge has come.
pub fn settle(state: &mut State, id: &str) -> String {
    let charge = state.get(id);
    let patch = json!({
        "amount_captured": charge["amount"],
        "captured": true,
        "paid": true,
        "receipt_url": format!("https://pay.stripe.com/receipts/payment/{id}"),
        "status": "succeeded",
        "outcome": outcome("authorized", "approved_by_network", None),
    });
    state.change(id, &patch);
    id.to_owned()
}

/// A charge that was refused; no event yet.
pub fn failed(
    state: &mut State,
    intent: &Value,
    method: &str,
    card: Card,
    (code, decline, message): (&str, &str, &str),
) -> String {
    let id = blank(state, intent, method, card);
    let patch = json!({
        "failure_code": code,
        "failure_message": message,
        "outcome": outcome("issuer_declined", "declined_by_network", Some(decline)),
        "status": "failed",
    });
    state.change(&id, &patch);
    id
}

fn outcome(kind: &str, network: &str, reason: Option<&str>) -> Value {
    json!({
        "advice_code": null,
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": network,
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": if reason.is_some() { "The bank did not return any further details." } else { "Payment complete." },
        "type": kind,
    })
}

fn blank(state: &mut State, intent: &Value, method: &str, card: Card) -> String {
    let id = state.new_id("ch");
    let kind = card.method();
    let customer = Some(intent.text("customer")).filter(|it| !it.is_empty());
    let mut details = json!({ "type": kind });
    details[kind] = if kind == "card" {
        json!({
            "amount_authorized": intent["amount"],
            "brand": card.brand(),
            "checks": checks(),
            "country": "TH",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": format!("fingerprint{}", card.last4()),
            "funding": "credit",
            "installments": null,
            "last4": card.last4(),
            "mandate": null,
            "network": card.brand(),
            "three_d_secure": null,
            "wallet": null,
        })
    } else {
        json!({ "reference": null })
    };
    state.insert(json!({
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": null,
        "billing_details": billing_details(state, customer),
        "calculated_statement_descriptor": "EYEMOTION",
        "captured": false,
        "created": state.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": false,
        "metadata": intent["metadata"],
        "on_behalf_of": null,
        "outcome": null,
        "paid": false,
        "payment_intent": intent["id"],
        "payment_method": method,
        "payment_method_details": details,
        "receipt_email": null,
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "pending",
        "transfer_data": null,
        "transfer_group": null,
    }))
}

/// Books a movement on the account's balance. The fee is 3.65 % and ten of the currency's units.
pub fn book(state: &mut State, kind: &str, amount: i64, currency: &str, source: &str) -> String {
    let id = state.new_id("txn");
    let fee = match kind {
        "charge" => amount * 365 / 10_000 + 1_000,
        _ => 0,
    };
    let details = json!([{
        "amount": fee, "application": null, "currency": currency,
        "description": "Stripe processing fees", "type": "stripe_fee",
    }]);
    state.insert(json!({
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": state.now + 7 * 86_400,
        "balance_type": "payments",
        "created": state.now,
        "currency": currency,
        "description": null,
        "exchange_rate": null,
        "fee": fee,
        "fee_details": if fee == 0 { json!([]) } else { details },
        "net": amount - fee,
        "reporting_category": if kind == "adjustment" { "dispute" } else { kind },
        "source": source,
        "status": "pending",
        "type": kind,
    }))
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("charge", id, "charge")
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &["customer", "payment_intent", "created", "created.*"],
        ]
        .concat(),
    )?;
    let (customer, intent) = (p.filled("customer"), p.filled("payment_intent"));
    page(state, "charge", "/v1/charges", p, |it| {
        customer.is_none_or(|id| it.text("customer") == id)
            && intent.is_none_or(|id| it.text("payment_intent") == id)
    })
}

pub fn retrieve_movement(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("balance_transaction", id, "id")
}
