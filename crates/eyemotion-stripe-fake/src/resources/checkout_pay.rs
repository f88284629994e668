//! What a customer does on the Checkout page.
//! <https://docs.stripe.com/payments/checkout/fulfill-orders>

use super::intents::{self, Asked, Outcome};
use super::{customers, discounts, invoice_pay, payment_methods, promotion_codes, subscriptions};
use crate::card::{Card, Verdict};
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::resources::checkout;
use crate::state::State;
use serde_json::{Value, json};

/// Fills in a code and pays. The session is complete where the card allows it, else as it was.
pub fn complete(state: &mut State, id: &str, card: Card, code: Option<&str>) -> Answer {
    let session = state.need("checkout.session", id, "session")?;
    if session.text("status") != "open" {
        return Err(StripeError::invalid(
            "This Checkout Session is not open any more.",
        ));
    }
    if let Some(code) = code {
        enter_code(state, &session, code)?;
    }
    let session = state.get(id);
    let methods = session.members("payment_method_types");
    if card == Card::PromptPayLater && !methods.iter().any(|it| it == "promptpay") {
        return Err(StripeError::invalid(
            "This Checkout Session does not take PromptPay.",
        ));
    }
    if session.text("mode") == "subscription" {
        subscribe(state, &session, card);
    } else {
        pay(state, &session, card);
    }
    Ok(state.get(id))
}

fn enter_code(state: &mut State, session: &Value, code: &str) -> Result<(), StripeError> {
    if !session.flag("allow_promotion_codes") {
        return Err(StripeError::invalid(
            "This Checkout Session takes no promotion codes.",
        ));
    }
    let found = promotion_codes::find(state, code).ok_or_else(|| {
        StripeError::invalid("This code is invalid.").code("promotion_code_invalid")
    })?;
    let customer = Some(session.text("customer")).filter(|it| !it.is_empty());
    let amount = session.number("amount_subtotal");
    let coupon = promotion_codes::redeemable(state, &found, customer, amount)?;
    if let Some(plan) = state.plans.get_mut(session.id()) {
        plan.discount = Some(discounts::Choice {
            coupon,
            code: Some(found.id().to_owned()),
        });
    }
    checkout::total(state, session.id())
}

fn email(state: &State, session: &Value) -> String {
    let known = state.get(session.text("customer"));
    let given = [
        known.text("email"),
        session.text("customer_email"),
        "buyer@example.com",
    ];
    given
        .into_iter()
        .find(|it| !it.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// The session's customer; one is made where there must be one.
fn customer(state: &mut State, session: &Value, must: bool) -> Option<String> {
    let known = session.text("customer");
    if !known.is_empty() {
        return Some(known.to_owned());
    }
    let email = email(state, session);
    (must || session.text("customer_creation") == "always")
        .then(|| customers::create_for(state, &email, "A buyer"))
}

fn details(state: &State, session: &Value) -> Value {
    json!({
        "address": {
            "city": null, "country": "TH", "line1": null, "line2": null, "postal_code": null, "state": null,
        },
        "business_name": null,
        "email": email(state, session),
        "individual_name": null,
        "name": "A buyer",
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    })
}

fn pay(state: &mut State, session: &Value, card: Card) {
    let id = session.id();
    let plan = state.plans.get(id).cloned().unwrap_or_default();
    let customer = customer(state, session, false);
    let details = details(state, session);
    state.change(
        id,
        &json!({ "customer": customer, "customer_details": details }),
    );
    let amount = session.number("amount_total");
    if amount == 0 {
        return finish(state, id, "no_payment_required");
    }
    // A second try on the page goes on with the first one's intent.
    let mut intent = session.text("payment_intent").to_owned();
    if intent.is_empty() {
        intent = intents::create(
            state,
            &Asked {
                amount,
                currency: session.text("currency"),
                customer: customer.as_deref(),
                description: plan.intent_description.as_deref(),
                metadata: plan.intent_metadata.clone(),
                methods: session["payment_method_types"].clone(),
            },
        );
        state.change(id, &json!({ "payment_intent": intent }));
    }
    match intents::confirm(state, &intent, card, None) {
        Outcome::Succeeded => finish(state, id, "paid"),
        Outcome::Processing => finish(state, id, "unpaid"),
        Outcome::Failed | Outcome::RequiresAction => {}
    }
}

fn finish(state: &mut State, id: &str, payment: &str) {
    let choice = state.plans.get(id).and_then(|plan| plan.discount.clone());
    let session = state.get(id);
    if session.text("mode") == "payment"
        && let Some(choice) = choice
    {
        discounts::count(state, &choice);
    }
    let patch = json!({ "payment_status": payment, "status": "complete", "url": null });
    state.change(id, &patch);
    state.emit("checkout.session.completed", id);
}

fn subscribe(state: &mut State, session: &Value, card: Card) {
    let id = session.id();
    let plan = state.plans.get(id).cloned().unwrap_or_default();
    let customer = customer(state, session, true).unwrap_or_default();
    let details = details(state, session);
    state.change(
        id,
        &json!({ "customer": customer, "customer_details": details }),
    );
    if let Verdict::Declined { .. } = card.verdict() {
        return refuse(state, session, &customer, card);
    }
    let waiting = state.get(session.text("subscription"));
    let (subscription, invoice) = if waiting.is_null() {
        let method = payment_methods::attach(state, card, &customer);
        let asked = subscriptions::Asked {
            customer,
            items: plan
                .lines
                .iter()
                .map(|line| (line["price"].clone(), line.number("quantity")))
                .collect(),
            metadata: plan.subscription_metadata.clone(),
            trial_end: plan.trial_end,
            discount: plan.discount.clone(),
            method: Some(method),
        };
        subscriptions::start(state, &asked)
    } else {
        (
            waiting.id().to_owned(),
            waiting.text("latest_invoice").to_owned(),
        )
    };
    state.change(
        id,
        &json!({ "invoice": invoice, "subscription": subscription }),
    );
    let open = state.get(&invoice).text("status") == "open";
    let outcome = if open {
        invoice_pay::attempt(state, &invoice, card)
    } else {
        Outcome::Succeeded
    };
    if outcome == Outcome::Succeeded {
        let free = session.number("amount_total") == 0;
        finish(state, id, if free { "no_payment_required" } else { "paid" });
    }
}

/// The page says no: no subscription is made.
fn refuse(state: &mut State, session: &Value, customer: &str, card: Card) {
    let asked = Asked {
        amount: session.number("amount_total"),
        currency: session.text("currency"),
        customer: Some(customer),
        description: Some("Subscription creation"),
        metadata: json!({}),
        methods: json!(["card"]),
    };
    let intent = intents::create(state, &asked);
    intents::confirm(state, &intent, card, None);
}

/// The session whose payment an intent is.
pub fn session_of(state: &State, intent: &str) -> Option<String> {
    let mut sessions = state.all("checkout.session");
    let found = sessions.find(|it| it.text("payment_intent") == intent);
    found.map(|it| it.id().to_owned())
}

/// The owner confirmed a payment that waited for it: its session is complete.
pub fn authenticated(state: &mut State, intent: &str, ok: bool) -> Result<(), StripeError> {
    let invoice = invoice_pay::invoice_of(state, intent);
    invoice_pay::authenticated(state, intent, ok)?;
    let session = session_of(state, intent).or_else(|| {
        let invoice = invoice?;
        let mut sessions = state.all("checkout.session");
        let found = sessions.find(|it| it.text("invoice") == invoice);
        found.map(|it| it.id().to_owned())
    });
    if let Some(session) = session
        && ok
        && state.get(&session).text("status") == "open"
    {
        finish(state, &session, "paid");
    }
    Ok(())
}

/// The money of a session that was paid later has come, or will not.
pub fn settle(state: &mut State, id: &str, ok: bool) -> Result<(), StripeError> {
    let session = state.need("checkout.session", id, "session")?;
    let intent = state.get(session.text("payment_intent"));
    if intent.text("status") != "processing" {
        return Err(StripeError::invalid(
            "Nothing of this Checkout Session is under way.",
        ));
    }
    if ok {
        intents::succeed(state, intent.id(), Card::PromptPayLater);
        state.change(id, &json!({ "payment_status": "paid" }));
        state.emit("checkout.session.async_payment_succeeded", id);
    } else {
        let why = (
            "payment_intent_payment_attempt_expired",
            "expired",
            "The payment was not made in time.",
        );
        let charge = intent.text("latest_charge").to_owned();
        let patch = json!({ "failure_code": why.0, "failure_message": why.2, "status": "failed" });
        state.change(&charge, &patch);
        intents::fail(
            state,
            intent.id(),
            &charge,
            intent.text("payment_method"),
            why,
        );
        state.emit("checkout.session.async_payment_failed", id);
    }
    Ok(())
}
