//! <https://docs.stripe.com/api/customers>

use crate::document::Document;
use crate::error::Answer;
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::resources::subscriptions;
use crate::state::State;
use serde_json::{Map, Value, json};

const FIELDS: [&str; 9] = [
    "email",
    "name",
    "phone",
    "description",
    "metadata.*",
    "preferred_locales.*",
    "address.*",
    "invoice_settings.default_payment_method",
    "tax_exempt",
];

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&FIELDS)?;
    let mut customer = blank(state);
    apply(&mut customer, p);
    let id = state.insert(customer);
    state.emit("customer.created", &id);
    Ok(state.get(&id))
}

/// A customer whom Checkout makes.
pub fn create_for(state: &mut State, email: &str, name: &str) -> String {
    let mut customer = blank(state);
    customer["email"] = email.into();
    customer["name"] = name.into();
    let id = state.insert(customer);
    state.emit("customer.created", &id);
    id
}

fn blank(state: &mut State) -> Value {
    let id = state.new_id("cus");
    let prefix: String = id.chars().skip(4).take(8).collect();
    json!({
        "id": id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": state.now,
        "currency": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "email": null,
        "invoice_prefix": prefix.to_uppercase(),
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": false,
        "metadata": {},
        "name": null,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    })
}

fn apply(customer: &mut Value, p: &Params) {
    for key in ["email", "name", "phone", "description", "tax_exempt"] {
        if let Some(text) = p.text(key) {
            customer[key] = if text.is_empty() {
                Value::Null
            } else {
                text.into()
            };
        }
    }
    if p.has("preferred_locales") {
        customer["preferred_locales"] = p.texts("preferred_locales").into();
    }
    if let Some(address) = p.child("address") {
        let part = |key: &str| address.filled(key).map_or(Value::Null, Value::from);
        let mut full = Map::new();
        for key in ["city", "country", "line1", "line2", "postal_code", "state"] {
            full.insert(key.into(), part(key));
        }
        customer["address"] = Value::Object(full);
    }
    if p.has("metadata") {
        customer["metadata"] = p.merged("metadata", &customer["metadata"]);
    }
    if let Some(settings) = p.child("invoice_settings")
        && let Some(method) = settings.filled("default_payment_method")
    {
        customer["invoice_settings"]["default_payment_method"] = method.into();
    }
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("customer", id, "id")
}

pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&FIELDS)?;
    let mut customer = super::alive(state, "customer", id, "id")?;
    apply(&mut customer, p);
    state.update(id, &customer, "customer.updated");
    Ok(state.get(id))
}

/// Cancels the customer's subscriptions too, as Stripe does. A stub stays behind.
pub fn delete(state: &mut State, id: &str) -> Answer {
    let customer = super::alive(state, "customer", id, "id")?;
    let theirs: Vec<String> = state
        .all("subscription")
        .filter(|it| it.text("customer") == id && !subscriptions::is_over(it))
        .map(|it| it.id().to_owned())
        .collect();
    for subscription in theirs {
        subscriptions::end(state, &subscription, "cancellation_requested");
    }
    state.emit("customer.deleted", id);
    let kind = customer.text("object").to_owned();
    state.remove(&kind, id);
    let stub = json!({ "id": id, "object": "customer", "deleted": true });
    state.insert(stub.clone());
    Ok(stub)
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(&[PAGING.as_slice(), &["email", "created", "created.*"]].concat())?;
    let email = p.filled("email");
    page(state, "customer", "/v1/customers", p, |it| {
        !it.flag("deleted") && email.is_none_or(|email| it.text("email") == email)
    })
}
