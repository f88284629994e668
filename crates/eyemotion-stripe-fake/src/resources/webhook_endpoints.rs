//! <https://docs.stripe.com/api/webhook_endpoints>

use crate::error::Answer;
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&[
        "url",
        "enabled_events.*",
        "api_version",
        "description",
        "metadata.*",
        "connect",
    ])?;
    let url = p.need("url")?;
    let events = p.texts("enabled_events");
    if events.is_empty() {
        return Err(crate::error::StripeError::missing("enabled_events"));
    }
    let (id, secret) = (state.new_id("we"), state.new_id("whsec"));
    let endpoint = json!({
        "id": id,
        "object": "webhook_endpoint",
        "api_version": p.filled("api_version"),
        "application": null,
        "created": state.now,
        "description": p.filled("description"),
        "enabled_events": events,
        "livemode": false,
        "metadata": p.merged("metadata", &Value::Null),
        "status": "enabled",
        "url": url,
    });
    state.insert(endpoint.clone());
    // The secret is told once.
    let mut told = endpoint;
    told["secret"] = secret.into();
    Ok(told)
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("webhook_endpoint", id, "webhook_endpoint")
}

pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[
        "url",
        "enabled_events.*",
        "description",
        "metadata.*",
        "disabled",
    ])?;
    let mut endpoint = state.need("webhook_endpoint", id, "webhook_endpoint")?;
    for key in ["url", "description"] {
        if let Some(text) = p.filled(key) {
            endpoint[key] = text.into();
        }
    }
    if p.has("enabled_events") {
        endpoint["enabled_events"] = p.texts("enabled_events").into();
    }
    if let Some(disabled) = p.flag("disabled")? {
        endpoint["status"] = if disabled { "disabled" } else { "enabled" }.into();
    }
    endpoint["metadata"] = p.merged("metadata", &endpoint["metadata"]);
    state.change(id, &endpoint);
    Ok(state.get(id))
}

pub fn delete(state: &mut State, id: &str) -> Answer {
    state.need("webhook_endpoint", id, "webhook_endpoint")?;
    state.remove("webhook_endpoint", id);
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(&PAGING)?;
    page(
        state,
        "webhook_endpoint",
        "/v1/webhook_endpoints",
        p,
        |_| true,
    )
}
