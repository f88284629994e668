//! What customers, banks and issuers do, which no endpoint of Stripe's does.

pub use super::checkout_pay::{authenticated, complete, settle};
pub use super::disputes::{close as close_dispute, open as dispute};
pub use super::fraud_warnings::open as early_fraud_warning;
pub use super::refunds::fail as fail_refund;

use super::refunds;
use crate::document::Document;
use crate::error::Answer;
use crate::state::State;
use serde_json::json;

/// A refund made in the dashboard, by the charge or its intent.
pub fn refund(state: &mut State, id: &str, amount: Option<i64>) -> Answer {
    let intent = state.get(id).text("latest_charge").to_owned();
    let charge = if intent.is_empty() { id } else { &intent };
    let charge = state.need("charge", charge, "charge")?;
    refunds::give_back(state, &charge, amount, None, &json!({}))
}
