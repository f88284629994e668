//! <https://docs.stripe.com/api/disputes>

use super::charges;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Map, Value, json};

const DAY: i64 = 86_400;
/// What a dispute costs whatever its end, in minor units.
const FEE: i64 = 1_500;
const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// The cardholder disputes a charge: the money is withdrawn at once.
pub fn open(state: &mut State, charge: &str, amount: Option<i64>) -> Answer {
    let charge = state.need("charge", charge, "charge")?;
    let left = charge.number("amount") - charge.number("amount_refunded");
    let amount = amount.unwrap_or(left);
    if charge.text("status") != "succeeded"
        || amount < 1
        || amount > left
        || charge.flag("disputed")
    {
        return Err(StripeError::invalid(
            "That charge cannot be disputed for that amount.",
        ));
    }
    let mut evidence: Map<String, Value> = EVIDENCE
        .iter()
        .map(|key| ((*key).to_owned(), Value::Null))
        .collect();
    evidence.insert("enhanced_evidence".into(), json!({}));
    let (id, currency) = (state.new_id("du"), charge.text("currency"));
    state.insert(json!({
        "id": id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": state.now,
        "currency": currency,
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": state.now + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": false,
            "past_due": false,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": false,
        "livemode": false,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": "needs_response",
    }));
    state.change(charge.id(), &json!({ "disputed": true }));
    state.emit("charge.dispute.created", &id);
    move_money(state, &id, -amount, "charge.dispute.funds_withdrawn");
    Ok(state.get(&id))
}

fn move_money(state: &mut State, id: &str, amount: i64, event: &str) {
    let dispute = state.get(id);
    let movement = charges::book(state, "adjustment", amount, dispute.text("currency"), id);
    let fee = if amount < 0 { FEE } else { 0 };
    let patch = json!({ "fee": fee, "net": amount - fee });
    state.change(&movement, &patch);
    let mut movements = dispute.members("balance_transactions").to_vec();
    movements.push(state.get(&movement));
    let before = state.change(id, &json!({ "balance_transactions": movements }));
    state.emit_changed(event, id, before);
}

/// The bank has decided.
pub fn close(state: &mut State, id: &str, won: bool) -> Answer {
    let dispute = state.need("dispute", id, "dispute")?;
    if ["won", "lost"].contains(&dispute.text("status")) {
        return Err(StripeError::invalid("This dispute is already closed"));
    }
    let status = if won { "won" } else { "lost" };
    state.change(id, &json!({ "status": status }));
    if won {
        move_money(
            state,
            id,
            dispute.number("amount"),
            "charge.dispute.funds_reinstated",
        );
    }
    state.emit("charge.dispute.closed", id);
    Ok(state.get(id))
}

/// Evidence, and its submission.
pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["evidence.*", "submit", "metadata.*"])?;
    let mut dispute = state.need("dispute", id, "dispute")?;
    let given = p.map("evidence");
    for (key, value) in &given {
        if !EVIDENCE.contains(&key.as_str()) {
            return Err(StripeError::unknown(&format!("evidence[{key}]")));
        }
        dispute["evidence"][key] = value.clone();
    }
    dispute["evidence_details"]["has_evidence"] = (!given.is_empty()).into();
    if p.flag("submit")?.unwrap_or(!given.is_empty()) {
        dispute["status"] = "under_review".into();
        dispute["evidence_details"]["submission_count"] = 1.into();
        dispute["evidence_details"]["submission_method"] = "manual".into();
    }
    dispute["metadata"] = p.merged("metadata", &dispute["metadata"]);
    state.update(id, &dispute, "charge.dispute.updated");
    Ok(state.get(id))
}

/// The merchant gives in.
pub fn accept(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    close(state, id, false)
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("dispute", id, "dispute")
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
    page(state, "dispute", "/v1/disputes", p, |it| {
        charge.is_none_or(|id| it.text("charge") == id)
            && intent.is_none_or(|id| it.text("payment_intent") == id)
    })
}
