//! Payment intents, and what happens when one is confirmed: <https://docs.stripe.com/api/payment_intents>

use super::{charges, payment_methods};
use crate::card::{Card, Verdict};
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// What a new intent asks for.
pub struct Asked<'a> {
    pub amount: i64,
    pub currency: &'a str,
    pub customer: Option<&'a str>,
    pub description: Option<&'a str>,
    pub metadata: Value,
    pub methods: Value,
}

/// How a confirmation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    Failed,
    RequiresAction,
    Processing,
}

pub fn create(state: &mut State, asked: &Asked) -> String {
    let id = state.new_id("pi");
    state.insert(json!({
        "id": id,
        "object": "payment_intent",
        "amount": asked.amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": 0,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic",
        "client_secret": format!("{id}_secret_fake"),
        "confirmation_method": "automatic",
        "created": state.now,
        "currency": asked.currency,
        "customer": asked.customer,
        "description": asked.description,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": asked.metadata,
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": asked.methods,
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "requires_payment_method",
        "transfer_data": null,
        "transfer_group": null,
    }));
    state.emit("payment_intent.created", &id);
    id
}

/// Tries to take the money with a card.
pub fn confirm(state: &mut State, id: &str, card: Card, method: Option<String>) -> Outcome {
    let intent = state.get(id);
    let customer = Some(intent.text("customer")).filter(|it| !it.is_empty());
    let method = method.unwrap_or_else(|| payment_methods::to_charge(state, card, customer));
    match card.verdict() {
        Verdict::Paid => {
            state.change(id, &json!({ "payment_method": method }));
            succeed(state, id, card);
            Outcome::Succeeded
        }
        Verdict::Declined {
            code,
            decline,
            message,
        } => {
            let charge = charges::failed(state, &intent, &method, card, (code, decline, message));
            fail(state, id, &charge, &method, (code, decline, message));
            Outcome::Failed
        }
        Verdict::NeedsAction => {
            let redirect = format!("https://hooks.stripe.com/3d_secure_2/{id}");
            let patch = json!({
                "payment_method": method,
                "status": "requires_action",
                "next_action": {
                    "type": "redirect_to_url",
                    "redirect_to_url": { "url": redirect, "return_url": null },
                },
            });
            state.change(id, &patch);
            state.emit("payment_intent.requires_action", id);
            Outcome::RequiresAction
        }
        Verdict::Later => {
            let charge = charges::pending(state, &intent, &method, card);
            let patch = json!({
                "payment_method": method, "status": "processing", "latest_charge": charge,
            });
            state.change(id, &patch);
            state.emit("charge.pending", &charge);
            state.emit("payment_intent.processing", id);
            Outcome::Processing
        }
    }
}

/// The money has come.
pub fn succeed(state: &mut State, id: &str, card: Card) {
    let intent = state.get(id);
    let pending = state.get(intent.text("latest_charge"));
    let charge = if pending.text("status") == "pending" {
        charges::settle(state, pending.id())
    } else {
        charges::succeeded(state, &intent, card)
    };
    let patch = json!({
        "amount_received": intent["amount"],
        "last_payment_error": null,
        "latest_charge": charge,
        "next_action": null,
        "status": "succeeded",
    });
    state.change(id, &patch);
    state.emit("charge.succeeded", &charge);
    state.emit("payment_intent.succeeded", id);
    // The fee is known a moment later.
    let (amount, currency) = (intent.number("amount"), intent.text("currency"));
    let movement = charges::book(state, "charge", amount, currency, &charge);
    state.update(
        &charge,
        &json!({ "balance_transaction": movement }),
        "charge.updated",
    );
}

type Refusal<'a> = (&'a str, &'a str, &'a str);

/// The money does not come; another try may follow.
pub fn fail(state: &mut State, id: &str, charge: &str, method: &str, refusal: Refusal) {
    let (code, decline, message) = refusal;
    let patch = json!({
        "last_payment_error": {
            "charge": charge,
            "code": code,
            "decline_code": decline,
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": message,
            "payment_method": state.get(method),
            "type": "card_error",
        },
        "latest_charge": charge,
        "next_action": null,
        "payment_method": null,
        "status": "requires_payment_method",
    });
    state.change(id, &patch);
    state.emit("charge.failed", charge);
    state.emit("payment_intent.payment_failed", id);
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&["client_secret"])?;
    state.need("payment_intent", id, "intent")
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(&[PAGING.as_slice(), &["customer", "created", "created.*"]].concat())?;
    let customer = p.filled("customer");
    page(state, "payment_intent", "/v1/payment_intents", p, |it| {
        customer.is_none_or(|id| it.text("customer") == id)
    })
}

pub fn cancel(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["cancellation_reason"])?;
    let intent = state.need("payment_intent", id, "intent")?;
    let status = intent.text("status");
    if ![
        "requires_payment_method",
        "requires_action",
        "requires_confirmation",
    ]
    .contains(&status)
    {
        return Err(StripeError::invalid(format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}."
        ))
        .code("payment_intent_unexpected_state"));
    }
    drop_it(state, id, p.filled("cancellation_reason"));
    Ok(state.get(id))
}

/// Cancels it, as an expired session or a void invoice does.
pub fn drop_it(state: &mut State, id: &str, reason: Option<&str>) {
    let patch = json!({
        "canceled_at": state.now, "cancellation_reason": reason, "next_action": null, "status": "canceled",
    });
    state.change(id, &patch);
    state.emit("payment_intent.canceled", id);
}
