//! <https://docs.stripe.com/api/customer_portal/sessions>

use crate::error::Answer;
use crate::params::Params;
use crate::state::State;
use serde_json::json;

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&[
        "customer",
        "return_url",
        "locale",
        "configuration",
        "flow_data.**",
    ])?;
    let customer = p.need("customer")?;
    super::alive(state, "customer", customer, "customer")?;
    let (id, configuration) = (state.new_id("bps"), state.new_id("bpc"));
    let session = json!({
        "id": id,
        "object": "billing_portal.session",
        "configuration": p.filled("configuration").unwrap_or(&configuration),
        "created": state.now,
        "customer": customer,
        "flow": null,
        "livemode": false,
        "locale": p.filled("locale"),
        "on_behalf_of": null,
        "return_url": p.filled("return_url"),
        "url": format!("https://billing.stripe.com/p/session/{id}"),
    });
    state.insert(session.clone());
    state.emit("billing_portal.session.created", &id);
    Ok(session)
}
