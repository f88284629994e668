//! <https://docs.stripe.com/api/refunds>. No more goes back than came.

use super::charges;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&["charge", "payment_intent", "amount", "reason", "metadata.*"])?;
    let charge = match (p.filled("charge"), p.filled("payment_intent")) {
        (Some(charge), _) => state.need("charge", charge, "charge")?,
        (None, Some(intent)) => {
            let intent = state.need("payment_intent", intent, "payment_intent")?;
            let charge = intent.text("latest_charge");
            if charge.is_empty() {
                return Err(StripeError::invalid(format!(
                    "This PaymentIntent ({}) does not have a successful charge to refund.",
                    intent.id()
                )));
            }
            state.need("charge", charge, "charge")?
        }
        (None, None) => {
            return Err(StripeError::invalid(
                "One of the following params should be provided for this request: payment_intent or charge.",
            ));
        }
    };
    let reason = p.choice(
        "reason",
        &["duplicate", "fraudulent", "requested_by_customer"],
    )?;
    let metadata = p.merged("metadata", &Value::Null);
    give_back(state, &charge, p.int("amount")?, reason, &metadata)
}

/// Refunds a charge, all that is left of it without an amount.
pub fn give_back(
    state: &mut State,
    charge: &Value,
    amount: Option<i64>,
    reason: Option<&str>,
    metadata: &Value,
) -> Answer {
    let id = charge.id();
    if charge.text("status") != "succeeded" {
        return Err(StripeError::invalid(
            "You cannot refund a charge that has not succeeded.",
        ));
    }
    let disputed = state
        .all("dispute")
        .any(|it| it.text("charge") == id && it.text("status") != "won");
    if disputed {
        return Err(StripeError::invalid(format!(
            "Charge {id} has been charged back; cannot issue a refund."
        ))
        .code("charge_disputed"));
    }
    let left = charge.number("amount") - charge.number("amount_refunded");
    if left == 0 {
        return Err(
            StripeError::invalid(format!("Charge {id} has already been refunded."))
                .code("charge_already_refunded"),
        );
    }
    let amount = amount.unwrap_or(left);
    if amount < 1 {
        return Err(StripeError::invalid("Invalid positive integer")
            .code("parameter_invalid_integer")
            .param("amount"));
    }
    if amount > left {
        return Err(StripeError::invalid(format!(
            "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        ))
        .param("amount"));
    }
    let (refund, currency) = (state.new_id("re"), charge.text("currency"));
    let movement = charges::book(state, "refund", -amount, currency, &refund);
    state.insert(json!({
        "id": refund,
        "object": "refund",
        "amount": amount,
        "balance_transaction": movement,
        "charge": id,
        "created": state.now,
        "currency": currency,
        "destination_details": {
            "card": {
                "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
            },
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    }));
    let refunded = charge.number("amount_refunded") + amount;
    let before = state.change(
        id,
        &json!({ "amount_refunded": refunded, "refunded": refunded == charge.number("amount") }),
    );
    state.emit("refund.created", &refund);
    state.emit_changed("charge.refunded", id, before);
    state.emit("refund.updated", &refund);
    state.emit("charge.refund.updated", &refund);
    Ok(state.get(&refund))
}

/// The bank sends the money of a refund back to the account: the charge is as before it.
pub fn fail(state: &mut State, refund: &str) -> Result<(), StripeError> {
    let document = state.need("refund", refund, "refund")?;
    if document.text("status") == "failed" {
        return Err(StripeError::invalid("This refund has failed already."));
    }
    let (amount, currency) = (document.number("amount"), document.text("currency"));
    let movement = charges::book(state, "refund_failure", amount, currency, refund);
    let patch = json!({
        "failure_balance_transaction": movement,
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    });
    let before = state.change(refund, &patch);
    let charge = state.get(document.text("charge"));
    let back = charge.number("amount_refunded") - amount;
    state.update(
        charge.id(),
        &json!({ "amount_refunded": back, "refunded": false }),
        "charge.updated",
    );
    state.emit_changed("refund.updated", refund, before);
    state.emit("refund.failed", refund);
    state.emit("charge.refund.updated", refund);
    Ok(())
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("refund", id, "refund")
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
    page(state, "refund", "/v1/refunds", p, |it| {
        charge.is_none_or(|id| it.text("charge") == id)
            && intent.is_none_or(|id| it.text("payment_intent") == id)
    })
}
