//! What a change would cost: <https://docs.stripe.com/api/invoices/create_preview>

use super::subscription_changes::PRORATIONS;
use super::swaps::Swap;
use super::{discounts, invoice_lines, invoice_pay, invoices, subscriptions};
use crate::calendar::period_end;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::state::State;

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
        let swap = Swap::of(&mut scratch, &subscription, &details, mode)?;
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
