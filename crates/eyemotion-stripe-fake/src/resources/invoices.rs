//! Invoices: <https://docs.stripe.com/api/invoices>

use super::{intents, invoice_pay, invoice_payments};
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, cut, inline, page};
use crate::params::Params;
use crate::resources::discounts;
use crate::state::State;
use serde_json::{Value, json};

/// Makes a draft for a subscription, with its events.
pub fn draft(state: &mut State, subscription: &Value, reason: &str, lines: Vec<Value>) -> String {
    let id = state.new_id("in");
    let held = discounts::holding(state, subscription.id());
    let document = compose(state, &id, subscription, reason, lines, &held);
    state.insert(document);
    let once: Vec<Value> = held
        .into_iter()
        .filter(|it| state.get(it["source"].text("coupon")).text("duration") == "once")
        .collect();
    discounts::remove(state, subscription.id(), &once);
    state.emit("invoice.created", &id);
    id
}

/// An invoice as it would be. The customer's balance pays first, or takes what is due back.
#[expect(clippy::too_many_lines, reason = "most of them are one document")]
pub fn compose(
    state: &mut State,
    id: &str,
    subscription: &Value,
    reason: &str,
    mut lines: Vec<Value>,
    held: &[Value],
) -> Value {
    let customer = state.get(subscription.text("customer"));
    let subtotal: i64 = lines.iter().map(|line| line.number("amount")).sum();
    let discountable: i64 = lines
        .iter()
        .filter(|line| line.flag("discountable"))
        .map(|line| line.number("amount"))
        .sum();
    let mut left = discountable;
    let mut taken = Vec::new();
    for discount in held {
        let off = discounts::off(&state.get(discount["source"].text("coupon")), left);
        left -= off;
        taken.push(json!({ "amount": off, "discount": discount["id"] }));
    }
    if let Some(line) = lines.iter_mut().find(|line| line.flag("discountable")) {
        line["discount_amounts"] = taken.clone().into();
    }
    for line in &mut lines {
        line["invoice"] = id.into();
    }
    let total = subtotal - (discountable - left);
    let item = subscription
        .members("items")
        .first()
        .cloned()
        .unwrap_or_default();
    let (start, end) = match reason {
        "subscription_cycle" => (
            item.number("current_period_start"),
            item.number("current_period_start"),
        ),
        _ => (state.now, state.now),
    };
    let url = format!("/v1/invoices/{id}/lines");
    json!({
        "id": id,
        "object": "invoice",
        "account_country": "TH",
        "account_name": "EyeMotion",
        "account_tax_ids": null,
        "amount_due": total.max(0),
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": total.max(0),
        "amount_shipping": 0,
        "application": null,
        "attempt_count": 0,
        "attempted": false,
        "auto_advance": true,
        "automatic_tax": {
            "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null,
        },
        "automatically_finalizes_at": null,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": state.now,
        "currency": subscription["currency"],
        "custom_fields": null,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": null,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": null,
        "default_source": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": held.iter().map(|it| it["id"].clone()).collect::<Vec<_>>(),
        "due_date": null,
        "effective_at": null,
        "ending_balance": null,
        "footer": null,
        "from_invoice": null,
        "hosted_invoice_url": null,
        "invoice_pdf": null,
        "issuer": { "type": "self" },
        "last_finalization_error": null,
        "latest_revision": null,
        "lines": inline(lines, &url),
        "livemode": false,
        "metadata": {},
        "next_payment_attempt": null,
        "number": null,
        "on_behalf_of": null,
        "parent": {
            "quote_details": null,
            "subscription_details": {
                "metadata": subscription["metadata"], "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
        },
        "period_end": end,
        "period_start": start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": null,
        "rendering": null,
        "shipping_cost": null,
        "shipping_details": null,
        "starting_balance": customer["balance"],
        "statement_descriptor": null,
        "status": "draft",
        "status_transitions": {
            "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": null,
        "total": total,
        "total_discount_amounts": taken,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": state.now,
    })
}

/// The invoice's subscription.
pub fn subscription_of(invoice: &Value) -> &str {
    invoice["parent"]["subscription_details"].text("subscription")
}

fn passes(invoice: &Value, p: &Params) -> bool {
    let is = |key: &str, value: &str| p.filled(key).is_none_or(|it| it == value);
    is("customer", invoice.text("customer"))
        && is("status", invoice.text("status"))
        && is("subscription", subscription_of(invoice))
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &[
                "customer",
                "subscription",
                "status",
                "created",
                "created.*",
                "collection_method",
            ],
        ]
        .concat(),
    )?;
    page(state, "invoice", "/v1/invoices", p, |it| passes(it, p))
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("invoice", id, "invoice")
}

pub fn lines(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&PAGING)?;
    let invoice = state.need("invoice", id, "invoice")?;
    cut(
        invoice.members("lines"),
        &format!("/v1/invoices/{id}/lines"),
        p,
    )
}

fn open(state: &State, id: &str) -> Answer {
    let invoice = state.need("invoice", id, "invoice")?;
    match invoice.text("status") {
        "open" => Ok(invoice),
        "paid" => Err(StripeError::invalid("Invoice is already paid").code("invoice_already_paid")),
        status => Err(StripeError::invalid(format!(
            "This invoice is {status}; only an open one can do that."
        ))
        .code("invoice_not_editable")),
    }
}

/// Pays an open invoice with the customer's card, or the one that is named.
pub fn pay(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["payment_method", "off_session", "paid_out_of_band"])?;
    if state.need("invoice", id, "invoice")?.text("status") == "draft" {
        invoice_pay::finalize(state, id);
    }
    let invoice = open(state, id)?;
    let card = invoice_pay::card_of(state, &invoice);
    match invoice_pay::attempt(state, id, card) {
        intents::Outcome::Succeeded | intents::Outcome::Processing => Ok(state.get(id)),
        outcome => Err(invoice_pay::refusal(state, id, outcome)),
    }
}

pub fn finalize_now(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["auto_advance"])?;
    let invoice = state.need("invoice", id, "invoice")?;
    if invoice.text("status") != "draft" {
        return Err(
            StripeError::invalid("This invoice is already finalized.").code("invoice_not_editable")
        );
    }
    invoice_pay::finalize(state, id);
    Ok(state.get(id))
}

pub fn void(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    open(state, id)?;
    cancel(state, id);
    Ok(state.get(id))
}

/// Voids an open invoice and cancels its intent.
pub fn cancel(state: &mut State, id: &str) {
    close(state, id, "void", "voided_at");
    if let Some(payment) = invoice_payments::of_invoice(state, id) {
        state.change(payment.id(), &json!({ "status": "canceled" }));
        let intent = payment["payment"].text("payment_intent");
        intents::drop_it(state, intent, Some("void_invoice"));
    }
    state.emit("invoice.voided", id);
}

pub fn give_up(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    open(state, id)?;
    close(state, id, "uncollectible", "marked_uncollectible_at");
    state.emit("invoice.marked_uncollectible", id);
    Ok(state.get(id))
}

fn close(state: &mut State, id: &str, status: &str, at: &str) {
    let mut transitions = state.get(id)["status_transitions"].clone();
    transitions[at] = state.now.into();
    let patch = json!({
        "next_payment_attempt": null, "status": status, "status_transitions": transitions,
    });
    state.change(id, &patch);
}
