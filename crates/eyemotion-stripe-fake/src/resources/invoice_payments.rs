//! <https://docs.stripe.com/api/invoice-payment>: which intent pays which invoice.

use crate::document::Document;
use crate::error::Answer;
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

pub fn create(state: &mut State, invoice: &str, intent: &str, amount: i64) {
    let id = state.new_id("inpay");
    let currency = state.get(intent)["currency"].clone();
    state.insert(json!({
        "id": id,
        "object": "invoice_payment",
        "amount_paid": null,
        "amount_requested": amount,
        "created": state.now,
        "currency": currency,
        "invoice": invoice,
        "is_default": true,
        "livemode": false,
        "payment": { "payment_intent": intent, "type": "payment_intent" },
        "status": "open",
        "status_transitions": { "canceled_at": null, "paid_at": null },
    }));
}

pub fn paid(state: &mut State, id: &str) {
    let payment = state.get(id);
    let patch = json!({
        "amount_paid": payment["amount_requested"],
        "status": "paid",
        "status_transitions": { "canceled_at": null, "paid_at": state.now },
    });
    state.change(id, &patch);
    state.emit("invoice_payment.paid", id);
}

pub fn of_invoice(state: &State, invoice: &str) -> Option<Value> {
    let mut payments = state.all("invoice_payment");
    payments.find(|it| it.text("invoice") == invoice).cloned()
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("invoice_payment", id, "invoice_payment")
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &[
                "invoice",
                "status",
                "payment.type",
                "payment.payment_intent",
                "created",
                "created.*",
            ],
        ]
        .concat(),
    )?;
    let (invoice, status) = (p.filled("invoice"), p.filled("status"));
    let payment = p.child("payment").unwrap_or_default();
    let intent = payment.filled("payment_intent");
    page(state, "invoice_payment", "/v1/invoice_payments", p, |it| {
        invoice.is_none_or(|id| it.text("invoice") == id)
            && status.is_none_or(|word| it.text("status") == word)
            && intent.is_none_or(|id| it["payment"].text("payment_intent") == id)
    })
}
