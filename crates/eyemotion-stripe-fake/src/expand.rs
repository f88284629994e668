//! `expand[]`: ids become the documents that they name: <https://docs.stripe.com/api/expanding_objects>

use crate::document::Document;
use crate::error::StripeError;
use crate::list::inline;
use crate::state::State;
use serde_json::{Value, json};

const DEPTH: usize = 4;

/// Expands one path, such as `data.latest_invoice.payments`, in an answer.
pub fn expand(state: &State, answer: &mut Value, path: &str) -> Result<(), StripeError> {
    let refuse = || {
        StripeError::invalid(format!("This property cannot be expanded ({path})."))
            .param("expand[0]")
    };
    let keys: Vec<&str> = path.split('.').collect();
    if keys.len() > DEPTH + 1 {
        return Err(StripeError::invalid(
            "You cannot expand more than 4 levels of a property.",
        ));
    }
    if walk(state, answer, &keys) {
        Ok(())
    } else {
        Err(refuse())
    }
}

fn walk(state: &State, at: &mut Value, keys: &[&str]) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        return true;
    };
    if let Some(list) = at.as_array_mut() {
        return list.iter_mut().all(|member| walk(state, member, keys));
    }
    if !at.is_object() {
        return at.is_null();
    }
    if at.get(*key).is_none() {
        match included(state, at, key) {
            Some(value) => at[*key] = value,
            None => return false,
        }
    }
    let Some(value) = at.get_mut(*key) else {
        return false;
    };
    resolve(state, value);
    if rest.is_empty() {
        return value.is_object() || value.is_null() || value.is_array();
    }
    walk(state, value, rest)
}

fn resolve(state: &State, value: &mut Value) {
    match value {
        Value::String(id) => {
            if let Some(document) = state.find(id) {
                *value = document.clone();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|member| resolve(state, member)),
        _ => {}
    }
}

/// What is shown only where it is asked for.
fn included(state: &State, document: &Value, key: &str) -> Option<Value> {
    let id = document.id();
    let of = |kind: &str, field: &str| -> Vec<Value> {
        let all = state.all(kind).rev();
        all.filter(|it| it.text(field) == id).cloned().collect()
    };
    match (document.text("object"), key) {
        ("checkout.session", "line_items") => {
            let lines = state.plans.get(id).map(|plan| plan.lines.clone());
            let url = format!("/v1/checkout/sessions/{id}/line_items");
            Some(inline(lines.unwrap_or_default(), &url))
        }
        ("invoice", "payments") => Some(inline(
            of("invoice_payment", "invoice"),
            "/v1/invoice_payments",
        )),
        ("invoice", "confirmation_secret") => {
            let Some(payment) = of("invoice_payment", "invoice").into_iter().next() else {
                return Some(Value::Null);
            };
            let intent = state.get(payment["payment"].text("payment_intent"));
            Some(json!({ "client_secret": intent["client_secret"], "type": "payment_intent" }))
        }
        ("charge", "refunds") => {
            let url = format!("/v1/charges/{id}/refunds");
            Some(inline(of("refund", "charge"), &url))
        }
        ("customer", "subscriptions") => {
            let live = of("subscription", "customer");
            let live = live
                .into_iter()
                .filter(|it| it.text("status") != "canceled")
                .collect();
            Some(inline(live, &format!("/v1/customers/{id}/subscriptions")))
        }
        _ => None,
    }
}
