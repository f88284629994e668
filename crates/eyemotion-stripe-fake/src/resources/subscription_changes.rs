//! Changing a subscription, and what the change would cost.
//! <https://docs.stripe.com/billing/subscriptions/change>, <https://docs.stripe.com/api/invoices/create_preview>

use super::discounts;
use super::intents::Outcome;
use super::{invoice_lines, invoice_pay, invoices, pricing, subscriptions};
use crate::calendar::period_end;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// Seconds for which a change waits for its payment.
const PENDING: i64 = 23 * 3_600;
const PRORATIONS: [&str; 3] = ["always_invoice", "create_prorations", "none"];
const BEHAVIOURS: [&str; 4] = [
    "allow_incomplete",
    "default_incomplete",
    "error_if_incomplete",
    "pending_if_incomplete",
];

/// What the items become, and the lines that this costs.
struct Swap {
    items: Vec<Value>,
    anchor: i64,
    lines: Vec<Value>,
    /// A new period has begun, which is invoiced at once whatever is asked.
    resets: bool,
}

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
    state.change(id, &plain);
    let subscription = state.get(id);
    let swap = swap(state, &subscription, p, mode)?;
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

fn swap(
    state: &mut State,
    subscription: &Value,
    p: &Params,
    mode: &str,
) -> Result<Swap, StripeError> {
    let at = match p.int("proration_date")? {
        Some(at) => at,
        None => state.now,
    };
    let old = subscription.members("items").to_vec();
    let coupons: Vec<Value> = discounts::holding(state, subscription.id())
        .iter()
        .map(|it| state.get(it["source"].text("coupon")))
        .filter(|it| it.text("duration") != "once")
        .collect();
    let asked_anew = p.filled("billing_cycle_anchor") == Some("now");
    let mut anchor = subscription.number("billing_cycle_anchor");
    let (mut items, mut lines, mut resets) = (old.clone(), Vec::new(), asked_anew);
    let mut changes = p.list("items");
    if changes.is_empty() {
        changes.push(Params::default());
    }
    for change in changes {
        let place = match change.filled("id") {
            Some(id) => Some(items.iter().position(|it| it.id() == id).ok_or_else(|| {
                StripeError::not_found("subscription item", id, &change.name("id"))
            })?),
            None if change.has("price") => None,
            None => Some(0),
        };
        let before = place.and_then(|place| items.get(place)).cloned();
        if change.flag("deleted")? == Some(true) {
            if let Some(place) = place {
                let mut gone = items.remove(place);
                let old = gone.clone();
                gone["quantity"] = 0.into();
                lines.extend(invoice_lines::proration(state, &old, &gone, at, &coupons));
            }
            continue;
        }
        let price = match (&before, change.has("price")) {
            (Some(before), false) => before["price"].clone(),
            _ => pricing::of_line(state, &change)?,
        };
        if price["currency"] != subscription["currency"] {
            return Err(StripeError::invalid(
                "The price specified has another currency than the subscription.",
            )
            .param(change.name("price")));
        }
        let old = before
            .clone()
            .unwrap_or_else(|| old.first().cloned().unwrap_or_default());
        let same = price["recurring"]["interval"] == old["price"]["recurring"]["interval"]
            && price["recurring"]["interval_count"] == old["price"]["recurring"]["interval_count"];
        let mut new = match before {
            Some(before) => before,
            None => {
                let period = invoice_lines::of_item(&old);
                subscriptions::item(
                    state,
                    subscription.id(),
                    &price,
                    0,
                    (period.start, period.end),
                )
            }
        };
        let unmade = new.clone();
        new["quantity"] = change
            .int("quantity")?
            .unwrap_or_else(|| new.number("quantity").max(1))
            .into();
        new["plan"] = pricing::plan(&price);
        if (!same || asked_anew) && subscription.text("status") != "trialing" {
            anchor = state.now;
            resets = true;
            new["current_period_start"] = state.now.into();
            new["current_period_end"] = period_end(anchor, &price["recurring"], state.now).into();
        }
        new["price"] = price;
        if mode == "none" && resets {
            lines.extend(invoice_lines::full(state, std::slice::from_ref(&new)));
        } else if mode != "none" && subscription.text("status") != "trialing" {
            lines.extend(invoice_lines::proration(state, &unmade, &new, at, &coupons));
        }
        match place {
            Some(place) => {
                if let Some(slot) = items.get_mut(place) {
                    *slot = new;
                }
            }
            None => items.push(new),
        }
    }
    if items.is_empty() {
        return Err(StripeError::invalid(
            "A subscription must have at least one active plan.",
        ));
    }
    Ok(Swap {
        items,
        anchor,
        lines,
        resets,
    })
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
        "items": subscriptions::items_of(id, swap.items.clone()),
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
        propose(state, subscription, patch, swap.items, lines);
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
fn propose(
    state: &mut State,
    subscription: &Value,
    patch: Value,
    items: Vec<Value>,
    lines: Vec<Value>,
) {
    let id = subscription.id();
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

/// The invoice that a change would make, or the next renewal's. Nothing is kept.
pub fn preview(state: &State, p: &Params) -> Answer {
    p.only(&[
        "customer",
        "subscription",
        "schedule",
        "preview_mode",
        "discounts.*.coupon",
        "discounts.*.promotion_code",
        "subscription_details.items.*.id",
        "subscription_details.items.*.price",
        "subscription_details.items.*.quantity",
        "subscription_details.items.*.deleted",
        "subscription_details.proration_behavior",
        "subscription_details.proration_date",
        "subscription_details.billing_cycle_anchor",
        "subscription_details.cancel_at_period_end",
    ])?;
    let mut scratch = state.clone();
    let id = p.need("subscription")?;
    let subscription = scratch.need("subscription", id, "subscription")?;
    if subscriptions::is_over(&subscription) {
        return Err(
            StripeError::invalid("No upcoming invoices for customer").code("invoice_upcoming_none")
        );
    }
    let details = p.child("subscription_details").unwrap_or_default();
    let mode = details
        .choice("proration_behavior", &PRORATIONS)?
        .unwrap_or("create_prorations");
    let mut changed = subscription.clone();
    let (mut lines, mut now) = (Vec::new(), false);
    if details.has("items") {
        let swap = swap(&mut scratch, &subscription, &details, mode)?;
        now = mode == "always_invoice" || swap.resets;
        lines = swap.lines;
        changed["items"] = subscriptions::items_of(id, swap.items);
    }
    let mut all = scratch.waiting.get(id).cloned().unwrap_or_default();
    all.extend(lines);
    let mut reason = "subscription_update";
    if !now {
        if subscription.flag("cancel_at_period_end") {
            return Err(StripeError::invalid("No upcoming invoices for customer")
                .code("invoice_upcoming_none"));
        }
        reason = "upcoming";
        let mut items = changed.members("items").to_vec();
        let anchor = changed.number("billing_cycle_anchor");
        for item in &mut items {
            let start = item.number("current_period_end");
            item["current_period_start"] = start.into();
            item["current_period_end"] =
                period_end(anchor, &item["price"]["recurring"], start).into();
        }
        all.extend(invoice_lines::full(&mut scratch, &items));
    }
    let held = discounts::holding(&mut scratch, id);
    let name = scratch.new_id("upcoming_in");
    let mut invoice = invoices::compose(&mut scratch, &name, &changed, reason, all, &held);
    let (due, balance) = invoice_pay::settle(&invoice);
    invoice["amount_due"] = due.into();
    invoice["amount_remaining"] = due.into();
    invoice["ending_balance"] = balance.into();
    Ok(invoice)
}
