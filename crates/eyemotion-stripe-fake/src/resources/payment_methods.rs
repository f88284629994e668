//! <https://docs.stripe.com/api/payment_methods>

use crate::card::Card;
use crate::document::Document;
use crate::error::Answer;
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// The customer's own of that card, or one for this payment alone.
pub fn to_charge(state: &mut State, card: Card, customer: Option<&str>) -> String {
    let known = customer.and_then(|customer| {
        let theirs = |it: &&Value| {
            it.text("customer") == customer && it["card"].text("last4") == card.last4()
        };
        state
            .all("payment_method")
            .find(theirs)
            .map(|it| it.id().to_owned())
    });
    known.unwrap_or_else(|| create(state, card, customer))
}

/// The customer keeps a card: invoices are charged to it from now on.
pub fn attach(state: &mut State, card: Card, customer: &str) -> String {
    state.cards.insert(customer.to_owned(), card);
    let id = to_charge(state, card, Some(customer));
    if !state
        .change(&id, &json!({ "customer": customer }))
        .is_empty()
    {
        state.emit("payment_method.attached", &id);
    }
    id
}

fn create(state: &mut State, card: Card, customer: Option<&str>) -> String {
    let id = state.new_id("pm");
    let kind = card.method();
    let mut method = json!({
        "id": id,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(state, customer),
        "created": state.now,
        "customer": null,
        "livemode": false,
        "metadata": {},
        "type": kind,
    });
    method[kind] = if kind == "card" {
        json!({
            "brand": card.brand(),
            "checks": checks(),
            "country": "TH",
            "display_brand": card.brand(),
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": format!("fingerprint{}", card.last4()),
            "funding": "credit",
            "generated_from": null,
            "last4": card.last4(),
            "networks": { "available": [card.brand()], "preferred": null },
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        })
    } else {
        json!({})
    };
    state.insert(method)
}

pub fn checks() -> Value {
    json!({ "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" })
}

/// Who pays, as the customer's document has it.
pub fn billing_details(state: &State, customer: Option<&str>) -> Value {
    let customer = customer.map(|id| state.get(id)).unwrap_or_default();
    json!({
        "address": {
            "city": null, "country": "TH", "line1": null, "line2": null, "postal_code": null, "state": null,
        },
        "email": customer["email"],
        "name": customer["name"],
        "phone": customer["phone"],
        "tax_id": null,
    })
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("payment_method", id, "payment_method")
}

pub fn of_customer(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[PAGING.as_slice(), &["type"]].concat())?;
    super::alive(state, "customer", id, "customer")?;
    let kind = p.filled("type");
    let url = format!("/v1/customers/{id}/payment_methods");
    page(state, "payment_method", &url, p, |it| {
        it.text("customer") == id && kind.is_none_or(|kind| it.text("type") == kind)
    })
}
