//! What time brings about by itself.

use super::{checkout, invoice_pay, schedules, subscription_status, subscriptions};
use crate::document::Document;
use crate::state::State;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
/// Seconds after which a first payment that was not made ends its subscription.
const INCOMPLETE: i64 = 23 * 3_600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// Before the period's end, so that the next one has the phase's prices.
    Phase,
    Cancel,
    Period,
    TrialEndsSoon,
    Incomplete,
    PendingUpdate,
    Finalize,
    Retry,
    Session,
}

/// Moves the clock to `until`, doing what falls due on the way, in order.
pub fn advance(state: &mut State, until: i64) {
    while let Some((at, due, id)) = next(state).filter(|(at, ..)| *at <= until) {
        state.now = state.now.max(at);
        happen(state, due, &id);
    }
    state.now = state.now.max(until);
}

fn next(state: &State) -> Option<(i64, Due, String)> {
    let sessions = state
        .all("checkout.session")
        .filter(|it| it.text("status") == "open")
        .map(|it| (it.number("expires_at"), Due::Session, it.id()));
    let subscriptions = state
        .all("subscription")
        .flat_map(|it| of_subscription(state, it));
    let invoices = state.all("invoice").filter_map(of_invoice);
    let schedules = state
        .all("subscription_schedule")
        .filter(|it| it.text("status") == "active")
        .map(|it| (it["current_phase"].number("end_date"), Due::Phase, it.id()));
    sessions
        .chain(subscriptions)
        .chain(invoices)
        .chain(schedules)
        .min()
        .map(|(at, due, id)| (at, due, id.to_owned()))
}

fn of_subscription<'a>(state: &State, it: &'a Value) -> Vec<(i64, Due, &'a str)> {
    let mut due = Vec::new();
    let end = it
        .members("items")
        .first()
        .map_or(i64::MAX, |item| item.number("current_period_end"));
    match it.text("status") {
        "incomplete" => due.push((it.number("created") + INCOMPLETE, Due::Incomplete, it.id())),
        "trialing" | "active" | "past_due" | "unpaid" => due.push((end, Due::Period, it.id())),
        _ => return due,
    }
    if it.text("status") == "trialing" && !state.warned.contains(it.id()) {
        due.push((end - 3 * DAY, Due::TrialEndsSoon, it.id()));
    }
    if let Some(at) = it["cancel_at"]
        .as_i64()
        .filter(|_| !it.flag("cancel_at_period_end"))
    {
        due.push((at, Due::Cancel, it.id()));
    }
    if let Some(at) = it["pending_update"]["expires_at"].as_i64() {
        due.push((at, Due::PendingUpdate, it.id()));
    }
    due
}

fn of_invoice(it: &Value) -> Option<(i64, Due, &str)> {
    match it.text("status") {
        "draft" => Some((
            it["automatically_finalizes_at"].as_i64()?,
            Due::Finalize,
            it.id(),
        )),
        "open" => Some((it["next_payment_attempt"].as_i64()?, Due::Retry, it.id())),
        _ => None,
    }
}

fn happen(state: &mut State, due: Due, id: &str) {
    match due {
        Due::Phase => schedules::turn(state, id),
        Due::Cancel => subscriptions::end(state, id, "cancellation_requested"),
        Due::Period => subscription_status::turn(state, id),
        Due::TrialEndsSoon => {
            state.warned.insert(id.to_owned());
            state.emit("customer.subscription.trial_will_end", id);
        }
        Due::Incomplete => subscriptions::end(state, id, "expired"),
        Due::PendingUpdate => {
            state.change(id, &json!({ "pending_update": null }));
            state.emit("customer.subscription.pending_update_expired", id);
            subscription_status::forget_proposal(state, id);
        }
        Due::Finalize | Due::Retry => {
            if due == Due::Finalize {
                invoice_pay::finalize(state, id);
            }
            let invoice = state.get(id);
            if invoice.text("status") == "open" {
                let card = invoice_pay::card_of(state, &invoice);
                invoice_pay::attempt(state, id, card);
            }
        }
        Due::Session => checkout::lapse(state, id),
    }
}
