//! What a payment, a failure and time make of a subscription.
//! <https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses>

use super::{invoice_lines, invoices, subscriptions};
use crate::document::Document;
use crate::list::inline;
use crate::state::{AfterRetries, State};
use serde_json::{Value, json};

/// An invoice was paid: a first one activates, a change that waited for it takes place, a debt is settled.
pub fn after_payment(state: &mut State, invoice: &str) {
    let id = invoices::subscription_of(&state.get(invoice)).to_owned();
    let subscription = state.get(&id);
    if subscriptions::is_over(&subscription) {
        return;
    }
    if let Some(proposal) = state.proposals.remove(invoice) {
        let mut patch = proposal;
        patch["pending_update"] = Value::Null;
        let before = state.change(&id, &patch);
        state.emit("customer.subscription.pending_update_applied", &id);
        state.emit_changed("customer.subscription.updated", &id, before);
    }
    let owes = state.all("invoice").any(|it| {
        it.id() != invoice
            && invoices::subscription_of(it) == id
            && it.text("status") == "open"
            && it.flag("attempted")
            && !state.proposals.contains_key(it.id())
    });
    if ["incomplete", "past_due", "unpaid"].contains(&subscription.text("status")) && !owes {
        state.update(
            &id,
            &json!({ "status": "active" }),
            "customer.subscription.updated",
        );
    }
}

/// A payment failed, for the last time or not.
pub fn after_failure(state: &mut State, invoice: &str, last: bool) {
    let id = invoices::subscription_of(&state.get(invoice)).to_owned();
    let subscription = state.get(&id);
    if state.proposals.contains_key(invoice) || subscriptions::is_over(&subscription) {
        return;
    }
    if last {
        match state.settings.after_retries {
            AfterRetries::Cancel => return subscriptions::end(state, &id, "payment_failed"),
            AfterRetries::Unpaid => {
                let patch = json!({ "status": "unpaid" });
                return state.update(&id, &patch, "customer.subscription.updated");
            }
            AfterRetries::PastDue => {}
        }
    }
    if subscription.text("status") == "active" {
        state.update(
            &id,
            &json!({ "status": "past_due" }),
            "customer.subscription.updated",
        );
    }
}

/// A change that waited for its payment is given up: its invoice is void.
pub fn forget_proposal(state: &mut State, id: &str) {
    let invoice = state
        .all("invoice")
        .find(|it| state.proposals.contains_key(it.id()) && invoices::subscription_of(it) == id)
        .map(|it| it.id().to_owned());
    if let Some(invoice) = invoice {
        state.proposals.remove(&invoice);
        invoices::cancel(state, &invoice);
    }
}

/// The period is over: it ends where it was to end, or goes on with a draft for the next one.
pub fn turn(state: &mut State, id: &str) {
    let subscription = state.get(id);
    if subscription.flag("cancel_at_period_end") {
        return subscriptions::end(state, id, "cancellation_requested");
    }
    let status = subscription.text("status").to_owned();
    let anchor = subscription.number("billing_cycle_anchor");
    let mut items = subscription.members("items").to_vec();
    for item in &mut items {
        let start = item.number("current_period_end");
        let end = crate::calendar::period_end(anchor, &item["price"]["recurring"], start);
        item["current_period_start"] = start.into();
        item["current_period_end"] = end.into();
    }
    let mut lines = state.waiting.remove(id).unwrap_or_default();
    lines.extend(invoice_lines::full(state, &items));
    let url = format!("/v1/subscription_items?subscription={id}");
    let mut patch = json!({ "items": inline(items, &url) });
    if status == "trialing" {
        patch["status"] = "active".into();
    }
    let before = state.change(id, &patch);
    let renewed = state.get(id);
    let invoice = invoices::draft(state, &renewed, "subscription_cycle", lines);
    let mut before = before;
    before.extend(state.change(id, &json!({ "latest_invoice": invoice })));
    state.emit_changed("customer.subscription.updated", id, before);
    // An unpaid subscription goes on making drafts that nobody pays.
    let finalizes = (status != "unpaid").then_some(state.now + state.settings.finalize_after);
    let patch = json!({
        "automatically_finalizes_at": finalizes, "auto_advance": finalizes.is_some(),
    });
    state.change(&invoice, &patch);
}
