//! <https://docs.stripe.com/api/radar/early_fraud_warnings>

use crate::document::Document;
use crate::error::Answer;
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::json;

/// The issuer says that a charge may be fraud.
pub fn open(state: &mut State, charge: &str) -> Answer {
    let charge = state.need("charge", charge, "charge")?;
    let id = state.new_id("issfr");
    state.insert(json!({
        "id": id,
        "object": "radar.early_fraud_warning",
        "actionable": !charge.flag("refunded") && !charge.flag("disputed"),
        "charge": charge["id"],
        "created": state.now,
        "fraud_type": "unauthorized_use_of_card",
        "livemode": false,
        "payment_intent": charge["payment_intent"],
    }));
    state.emit("radar.early_fraud_warning.created", &id);
    Ok(state.get(&id))
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("radar.early_fraud_warning", id, "early_fraud_warning")
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &["charge", "payment_intent", "created", "created.*"],
        ]
        .concat(),
    )?;
    let (charge, intent) = (p.filled("charge"), p.filled("payment_intent"));
    page(
        state,
        "radar.early_fraud_warning",
        "/v1/radar/early_fraud_warnings",
        p,
        |it| {
            charge.is_none_or(|id| it.text("charge") == id)
                && intent.is_none_or(|id| it.text("payment_intent") == id)
        },
    )
}
