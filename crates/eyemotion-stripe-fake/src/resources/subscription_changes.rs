//! Changing a subscription: <https://docs.stripe.com/billing/subscriptions/change>

use super::discounts;
use super::intents::Outcome;
use super::subscription_status::forget_proposal;
use super::swaps::Swap;
use super::{invoice_lines, invoice_pay, invoices, subscriptions};
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// Seconds for which a change waits for its payment.
const PENDING: i64 = 23 * 3_600;
pub const PRORATIONS: [&str; 3] = ["always_invoice", "create_prorations", "none"];
const BEHAVIOURS: [&str; 4] = [
    "allow_incomplete",
    "default_incomplete",
    "error_if_incomplete",
    "pending_if_incomplete",
];

pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[
        "items.*.id",
        "items.*.price",
        "items.*.quantity",
        "items.*.deleted",
        "metadata.*",
        "proration_behavior",
        "proration_date",
        "payment_behavior",
        "cancel_at_period_end",
        "cancel_at",
        "cancellation_details.*",
        "trial_end",
        "default_payment_method",
        "discounts.*.coupon",
        "discounts.*.promotion_code",
        "billing_cycle_anchor",
        "off_session",
    ])?;
    let subscription = state.need("subscription", id, "id")?;
    if subscriptions::is_over(&subscription) {
        return Err(StripeError::invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
        ));
    }
    let behaviour = p
        .choice("payment_behavior", &BEHAVIOURS)?
        .unwrap_or("allow_incomplete");
    let pending = behaviour == "pending_if_incomplete";
    if pending && (p.has("metadata") || p.has("cancel_at_period_end") || p.has("cancel_at")) {
        return Err(StripeError::invalid(
            "This request has parameters that pending_if_incomplete does not support.",
        )
        .param("payment_behavior"));
    }
    let safe = (behaviour == "error_if_incomplete").then(|| state.clone());
    let plain = plain_changes(state, &subscription, p)?;
    if p.child("items").is_none() && p.filled("billing_cycle_anchor").is_none() {
        state.update(id, &plain, "customer.subscription.updated");
        return Ok(state.get(id));
    }
    let mode = p
        .choice("proration_behavior", &PRORATIONS)?
        .unwrap_or("create_prorations");
    let swap = Swap::of(state, &subscription, p, mode)?;
    state.change(id, &plain);
    let subscription = state.get(id);
    if let Err(refusal) = carry_out(state, &subscription, swap, mode, pending, safe.is_some()) {
        if let Some(safe) = safe {
            *state = safe;
        }
        return Err(refusal);
    }
    Ok(state.get(id))
}

/// Changes that cost nothing.
fn plain_changes(state: &mut State, subscription: &Value, p: &Params) -> Answer {
    let mut patch = json!({});
    if p.has("metadata") {
        patch["metadata"] = p.merged("metadata", &subscription["metadata"]);
    }
    if let Some(method) = p.filled("default_payment_method") {
        patch["default_payment_method"] =
            state.need("payment_method", method, "default_payment_method")?["id"].clone();
    }
    let ends = p.has("cancel_at_period_end") || p.has("cancel_at");
    if ends && !subscription["schedule"].is_null() {
        return Err(StripeError::invalid(format!(
            "The subscription is managed by the subscription schedule `{}`, and updating any cancelation behavior directly is not allowed.",
            subscription.text("schedule")
        )));
    }
    if let Some(at_end) = p.flag("cancel_at_period_end")? {
        let end = subscription
            .members("items")
            .first()
            .map(|it| it.number("current_period_end"));
        patch["cancel_at_period_end"] = at_end.into();
        patch["cancel_at"] = end.filter(|_| at_end).into();
        patch["canceled_at"] = at_end.then_some(state.now).into();
        let mut details = subscription["cancellation_details"].clone();
        details["reason"] = at_end.then_some("cancellation_requested").into();
        patch["cancellation_details"] = details;
    } else if p.has("cancel_at") {
        let at = p.int("cancel_at")?;
        patch["cancel_at"] = at.into();
        patch["canceled_at"] = at.map(|_| state.now).into();
    }
    if let Some(details) = p.child("cancellation_details") {
        let mut told = patch
            .get("cancellation_details")
            .unwrap_or(&subscription["cancellation_details"])
            .clone();
        for key in ["comment", "feedback"] {
            if let Some(text) = details.filled(key) {
                told[key] = text.into();
            }
        }
        patch["cancellation_details"] = told;
    }
    if let Some(end) = trial_end(state, p)? {
        patch["trial_end"] = end.into();
        patch["billing_cycle_anchor"] = end.into();
        patch["status"] = "trialing".into();
        let mut items = subscription.members("items").to_vec();
        for item in &mut items {
            item["current_period_end"] = end.into();
        }
        patch["items"] = subscriptions::items_of(subscription.id(), items);
    }
    if p.has("discounts") {
        let customer = subscription.text("customer");
        let amount = subscription
            .members("items")
            .iter()
            .map(invoice_lines::amount)
            .sum();
        let chosen = discounts::chosen(state, p, Some(customer), amount)?;
        let made = chosen.map(|it| discounts::redeem(state, &it, customer, subscription.id()));
        patch["discounts"] = made.into_iter().collect::<Vec<_>>().into();
    }
    Ok(patch)
}

/// When a trial is to end; `now` ends it at the clock's next step.
fn trial_end(state: &State, p: &Params) -> Result<Option<i64>, StripeError> {
    match p.filled("trial_end") {
        Some("now") => Ok(Some(state.now)),
        Some(_) => match p.int("trial_end")? {
            Some(end) if end < state.now => Err(StripeError::invalid(
                "Invalid timestamp: must be in the future",
            )
            .param("trial_end")),
            end => Ok(end),
        },
        None => Ok(None),
    }
}

fn carry_out(
    state: &mut State,
    subscription: &Value,
    swap: Swap,
    mode: &str,
    pending: bool,
    or_nothing: bool,
) -> Result<(), StripeError> {
    let id = subscription.id();
    let patch = json!({
        "billing_cycle_anchor": swap.anchor,
        "items": subscriptions::items_of(id, swap.items),
    });
    if subscription["items"] == patch["items"] && !swap.resets {
        return Ok(());
    }
    let now = (mode == "always_invoice" || swap.resets) && !swap.lines.is_empty();
    if !now {
        if mode == "create_prorations" && !swap.lines.is_empty() {
            state
                .waiting
                .entry(id.to_owned())
                .or_default()
                .extend(swap.lines);
        }
        state.update(id, &patch, "customer.subscription.updated");
        return Ok(());
    }
    let mut lines = state.waiting.remove(id).unwrap_or_default();
    lines.extend(swap.lines);
    if pending {
        forget_proposal(state, id);
        propose(state, subscription, patch, lines);
        return Ok(());
    }
    let mut before = state.change(id, &patch);
    let changed = state.get(id);
    let invoice = invoices::draft(state, &changed, "subscription_update", lines);
    before.extend(state.change(id, &json!({ "latest_invoice": invoice })));
    state.emit_changed("customer.subscription.updated", id, before);
    invoice_pay::finalize(state, &invoice);
    let outcome = pay(state, &invoice);
    if or_nothing && outcome != Outcome::Succeeded {
        return Err(invoice_pay::refusal(state, &invoice, outcome));
    }
    Ok(())
}

/// The change takes place once its invoice is paid: <https://docs.stripe.com/billing/subscriptions/pending-updates>.
fn propose(state: &mut State, subscription: &Value, patch: Value, lines: Vec<Value>) {
    let id = subscription.id();
    let items = patch.members("items").to_vec();
    let invoice = invoices::draft(state, subscription, "subscription_update", lines);
    state.proposals.insert(invoice.clone(), patch);
    state.change(id, &json!({ "latest_invoice": invoice }));
    invoice_pay::finalize(state, &invoice);
    if pay(state, &invoice) != Outcome::Succeeded {
        let update = json!({
            "billing_cycle_anchor": null,
            "expires_at": state.now + PENDING,
            "subscription_items": items,
            "trial_end": null,
            "trial_from_plan": null,
        });
        state.update(
            id,
            &json!({ "pending_update": update }),
            "customer.subscription.updated",
        );
    }
}

fn pay(state: &mut State, invoice: &str) -> Outcome {
    let document = state.get(invoice);
    let card = invoice_pay::card_of(state, &document);
    invoice_pay::attempt(state, invoice, card)
}
