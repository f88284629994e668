//! Subscriptions: <https://docs.stripe.com/api/subscriptions>. Periods live on their items.

use super::discounts::{self, Choice};
use super::{invoice_lines, invoice_pay, invoices, pricing};
use crate::calendar::period_end;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, inline, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// What a new subscription is made of.
pub struct Asked {
    pub customer: String,
    /// Prices with how many of each.
    pub items: Vec<(Value, i64)>,
    pub metadata: Value,
    pub trial_end: Option<i64>,
    pub discount: Option<Choice>,
    pub method: Option<String>,
}

pub fn is_over(subscription: &Value) -> bool {
    ["canceled", "incomplete_expired"].contains(&subscription.text("status"))
}

/// An item for a price over a period.
pub fn item(
    state: &mut State,
    subscription: &str,
    price: &Value,
    quantity: i64,
    period: (i64, i64),
) -> Value {
    let id = state.new_id("si");
    json!({
        "id": id,
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": state.now,
        "current_period_end": period.1,
        "current_period_start": period.0,
        "discounts": [],
        "metadata": {},
        "plan": pricing::plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    })
}

pub fn items_of(id: &str, items: Vec<Value>) -> Value {
    inline(items, &format!("/v1/subscription_items?subscription={id}"))
}

/// Makes one with its first invoice, open and not paid yet; nothing is due in a trial.
pub fn start(state: &mut State, asked: &Asked) -> (String, String) {
    let id = state.new_id("sub");
    let now = state.now;
    let anchor = asked.trial_end.unwrap_or(now);
    let mut items = Vec::new();
    for (price, quantity) in &asked.items {
        let end = asked
            .trial_end
            .unwrap_or_else(|| period_end(now, &price["recurring"], now));
        items.push(item(state, &id, price, *quantity, (now, end)));
    }
    let currency = items.first().map(|it| it["price"]["currency"].clone());
    let trial_start = asked.trial_end.map(|_| now);
    state.insert(json!({
        "id": id,
        "object": "subscription",
        "application": null,
        "application_fee_percent": null,
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
        "billing_cycle_anchor": anchor,
        "billing_cycle_anchor_config": null,
        "billing_mode": { "flexible": null, "type": "classic" },
        "billing_schedules": [],
        "billing_thresholds": null,
        "cancel_at": null,
        "cancel_at_period_end": false,
        "canceled_at": null,
        "cancellation_details": { "comment": null, "feedback": null, "reason": null },
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": asked.customer,
        "days_until_due": null,
        "default_payment_method": asked.method,
        "default_source": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "ended_at": null,
        "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
        "items": items_of(&id, items.clone()),
        "latest_invoice": null,
        "livemode": false,
        "metadata": asked.metadata,
        "next_pending_invoice_item_invoice": null,
        "on_behalf_of": null,
        "pause_collection": null,
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": null,
        "pending_setup_intent": null,
        "pending_update": null,
        "schedule": null,
        "start_date": now,
        "status": if asked.trial_end.is_some() { "trialing" } else { "incomplete" },
        "test_clock": null,
        "transfer_data": null,
        "trial_end": asked.trial_end,
        "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        "trial_start": trial_start,
    }));
    state.change(&asked.customer, &json!({ "currency": currency }));
    if let Some(choice) = &asked.discount {
        let discount = discounts::redeem(state, choice, &asked.customer, &id);
        state.change(&id, &json!({ "discounts": [discount] }));
    }
    let lines = if asked.trial_end.is_some() {
        trial_lines(state, &items)
    } else {
        invoice_lines::full(state, &items)
    };
    let document = state.get(&id);
    let invoice = invoices::draft(state, &document, "subscription_create", lines);
    state.change(&id, &json!({ "latest_invoice": invoice }));
    state.emit("customer.subscription.created", &id);
    invoice_pay::finalize(state, &invoice);
    (id, invoice)
}

fn trial_lines(state: &mut State, items: &[Value]) -> Vec<Value> {
    let mut lines = Vec::new();
    for item in items {
        let period = invoice_lines::of_item(item);
        let words = "Free trial";
        lines.push(invoice_lines::line(state, item, 0, period, words, false));
    }
    lines
}

/// Directly, without Checkout. The first payment is tried at once unless `default_incomplete` is asked for.
pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&[
        "customer",
        "items.*.price",
        "items.*.quantity",
        "metadata.*",
        "trial_end",
        "trial_period_days",
        "payment_behavior",
        "default_payment_method",
        "discounts.*.coupon",
        "discounts.*.promotion_code",
        "off_session",
        "payment_settings.**",
        "collection_method",
        "proration_behavior",
    ])?;
    let customer = p.need("customer")?.to_owned();
    super::alive(state, "customer", &customer, "customer")?;
    let mut items = Vec::new();
    for line in p.list("items") {
        let price = pricing::of_line(state, &line)?;
        if price["recurring"].is_null() {
            return Err(StripeError::invalid(
                "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            )
            .param(line.name("price")));
        }
        items.push((price, line.int("quantity")?.unwrap_or(1)));
    }
    if items.is_empty() {
        return Err(StripeError::missing("items"));
    }
    let days = p
        .int("trial_period_days")?
        .map(|days| state.now + days * 86_400);
    let trial_end = p.int("trial_end")?.or(days);
    let amount = items
        .iter()
        .map(|(price, n)| price.number("unit_amount") * n)
        .sum();
    let asked = Asked {
        trial_end,
        discount: discounts::chosen(state, p, Some(&customer), amount)?,
        metadata: p.merged("metadata", &Value::Null),
        method: p.filled("default_payment_method").map(str::to_owned),
        customer,
        items,
    };
    let behaviour = p
        .choice(
            "payment_behavior",
            &[
                "allow_incomplete",
                "default_incomplete",
                "error_if_incomplete",
                "pending_if_incomplete",
            ],
        )?
        .unwrap_or("allow_incomplete");
    let safe = (behaviour == "error_if_incomplete").then(|| state.clone());
    let (id, invoice) = start(state, &asked);
    let document = state.get(&invoice);
    if behaviour != "default_incomplete" && document.text("status") == "open" {
        let card = invoice_pay::card_of(state, &document);
        let outcome = invoice_pay::attempt(state, &invoice, card);
        if let Some(safe) = safe
            && state.get(&id).text("status") == "incomplete"
        {
            let refusal = invoice_pay::refusal(state, &invoice, outcome);
            *state = safe;
            return Err(refusal);
        }
    }
    Ok(state.get(&id))
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("subscription", id, "id")
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &["customer", "price", "status", "created", "created.*"],
        ]
        .concat(),
    )?;
    let (customer, price) = (p.filled("customer"), p.filled("price"));
    let status = p.filled("status");
    page(state, "subscription", "/v1/subscriptions", p, |it| {
        customer.is_none_or(|id| it.text("customer") == id)
            && price.is_none_or(|id| {
                it.members("items")
                    .iter()
                    .any(|item| item["price"].id() == id)
            })
            && match status {
                Some("all") => true,
                Some("ended") => is_over(it),
                Some(status) => it.text("status") == status,
                None => it.text("status") != "canceled",
            }
    })
}

pub fn cancel(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["invoice_now", "prorate", "cancellation_details.*"])?;
    let subscription = state.need("subscription", id, "id")?;
    if is_over(&subscription) {
        return Err(StripeError::not_found("subscription", id, "id"));
    }
    if let Some(details) = p.child("cancellation_details") {
        let mut told = subscription["cancellation_details"].clone();
        told["comment"] = details.filled("comment").into();
        told["feedback"] = details.filled("feedback").into();
        state.change(id, &json!({ "cancellation_details": told }));
    }
    end(state, id, "cancellation_requested");
    Ok(state.get(id))
}

/// It is over now.
pub fn end(state: &mut State, id: &str, reason: &str) {
    let subscription = state.get(id);
    let incomplete = subscription.text("status") == "incomplete" && reason == "expired";
    let mut details = subscription["cancellation_details"].clone();
    details["reason"] = reason.into();
    if incomplete {
        let patch = json!({ "ended_at": state.now, "status": "incomplete_expired" });
        state.update(id, &patch, "customer.subscription.updated");
    } else {
        let since = subscription["canceled_at"].as_i64().unwrap_or(state.now);
        let patch = json!({
            "cancel_at": null,
            "cancel_at_period_end": false,
            "canceled_at": since,
            "cancellation_details": details,
            "ended_at": state.now,
            "pending_update": null,
            "schedule": null,
            "status": "canceled",
        });
        state.change(id, &patch);
        state.emit("customer.subscription.deleted", id);
    }
    state.waiting.remove(id);
    close_schedule(state, subscription.text("schedule"));
    // What is open stays open but is not tried again; a first invoice that nobody paid is void.
    let theirs: Vec<Value> = state
        .all("invoice")
        .filter(|it| invoices::subscription_of(it) == id)
        .cloned()
        .collect();
    for invoice in theirs {
        let proposed = state.proposals.remove(invoice.id()).is_some();
        match invoice.text("status") {
            "open" if incomplete || proposed => invoices::cancel(state, invoice.id()),
            "open" => {
                state.change(
                    invoice.id(),
                    &json!({ "auto_advance": false, "next_payment_attempt": null }),
                );
            }
            "draft" => {
                let patch = json!({ "auto_advance": false, "automatically_finalizes_at": null });
                state.change(invoice.id(), &patch);
            }
            _ => {}
        }
    }
}

fn close_schedule(state: &mut State, schedule: &str) {
    if !schedule.is_empty() && state.get(schedule).text("status") == "active" {
        let patch =
            json!({ "canceled_at": state.now, "current_phase": null, "status": "canceled" });
        state.change(schedule, &patch);
        state.emit("subscription_schedule.canceled", schedule);
    }
}
