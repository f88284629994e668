//! Subscription schedules: <https://docs.stripe.com/billing/subscriptions/subscription-schedules>

use super::{pricing, subscriptions};
use crate::calendar::period_end;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&["from_subscription", "metadata.*"])?;
    let subscription = p.need("from_subscription")?;
    let subscription = state.need("subscription", subscription, "from_subscription")?;
    if !subscription["schedule"].is_null() || subscriptions::is_over(&subscription) {
        return Err(StripeError::invalid(
            "You cannot migrate a subscription that is already attached to a schedule, or is over.",
        )
        .param("from_subscription"));
    }
    let id = state.new_id("sub_sched");
    let first = subscription
        .members("items")
        .first()
        .cloned()
        .unwrap_or_default();
    let items = subscription
        .members("items")
        .iter()
        .map(|item| phase_item(&item["price"], item.number("quantity")))
        .collect::<Vec<_>>();
    let (start, end) = (
        first.number("current_period_start"),
        first.number("current_period_end"),
    );
    let phase = phase(
        &subscription["currency"],
        &items,
        start,
        end,
        "create_prorations",
        &json!({}),
    );
    state.insert(json!({
        "id": id,
        "object": "subscription_schedule",
        "application": null,
        "billing_mode": { "flexible": null, "type": "classic" },
        "canceled_at": null,
        "completed_at": null,
        "created": state.now,
        "current_phase": { "end_date": end, "start_date": start },
        "customer": subscription["customer"],
        "default_settings": {
            "application_fee_percent": null,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": null,
            "collection_method": "charge_automatically",
            "default_payment_method": null,
            "description": null,
            "invoice_settings": {
                "account_tax_ids": null, "days_until_due": null, "issuer": { "type": "self" },
            },
            "on_behalf_of": null,
            "transfer_data": null,
        },
        "end_behavior": "release",
        "livemode": false,
        "metadata": p.merged("metadata", &Value::Null),
        "pause_schedules": [],
        "phases": [phase],
        "released_at": null,
        "released_subscription": null,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": null,
    }));
    state.emit("subscription_schedule.created", &id);
    state.update(
        subscription.id(),
        &json!({ "schedule": id }),
        "customer.subscription.updated",
    );
    Ok(state.get(&id))
}

fn phase_item(price: &Value, quantity: i64) -> Value {
    json!({
        "billing_thresholds": null,
        "discounts": [],
        "metadata": {},
        "plan": price["id"],
        "price": price["id"],
        "quantity": quantity,
        "tax_rates": [],
    })
}

fn phase(
    currency: &Value,
    items: &[Value],
    start: i64,
    end: i64,
    proration: &str,
    metadata: &Value,
) -> Value {
    json!({
        "add_invoice_items": [],
        "application_fee_percent": null,
        "billing_cycle_anchor": null,
        "billing_thresholds": null,
        "collection_method": null,
        "currency": currency,
        "default_payment_method": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "end_date": end,
        "invoice_settings": null,
        "items": items,
        "metadata": metadata,
        "on_behalf_of": null,
        "proration_behavior": proration,
        "start_date": start,
        "transfer_data": null,
        "trial_end": null,
    })
}

fn active(state: &State, id: &str) -> Answer {
    let schedule = state.need("subscription_schedule", id, "schedule")?;
    match schedule.text("status") {
        "active" => Ok(schedule),
        status => Err(StripeError::invalid(format!(
            "You cannot change a subscription schedule that is in the `{status}` status."
        ))),
    }
}

pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[
        "end_behavior",
        "proration_behavior",
        "metadata.*",
        "phases.*.items.*.price",
        "phases.*.items.*.quantity",
        "phases.*.start_date",
        "phases.*.end_date",
        "phases.*.duration.interval",
        "phases.*.duration.interval_count",
        "phases.*.proration_behavior",
        "phases.*.metadata.*",
    ])?;
    let schedule = active(state, id)?;
    let mut patch = json!({ "metadata": p.merged("metadata", &schedule["metadata"]) });
    if let Some(end) = p.choice("end_behavior", &["release", "cancel"])? {
        patch["end_behavior"] = end.into();
    }
    let asked = p.list("phases");
    if !asked.is_empty() {
        let phases = read_phases(state, &schedule, &asked)?;
        let now = state.now;
        let holds = |it: &&Value| it.number("start_date") <= now && now < it.number("end_date");
        let current = phases.iter().find(holds).ok_or_else(|| {
            StripeError::invalid("The current phase must be among the phases.").param("phases")
        })?;
        patch["current_phase"] =
            json!({ "end_date": current["end_date"], "start_date": current["start_date"] });
        patch["phases"] = phases.into();
    }
    state.update(id, &patch, "subscription_schedule.updated");
    Ok(state.get(id))
}

fn read_phases(
    state: &mut State,
    schedule: &Value,
    asked: &[Params],
) -> Result<Vec<Value>, StripeError> {
    let first = schedule
        .members("phases")
        .first()
        .cloned()
        .unwrap_or_default();
    let mut start = first.number("start_date");
    let mut phases = Vec::new();
    for (place, one) in asked.iter().enumerate() {
        let mut items = Vec::new();
        let mut recurring = Value::Null;
        for line in one.list("items") {
            let price = pricing::of_line(state, &line)?;
            recurring = price["recurring"].clone();
            items.push(phase_item(&price, line.int("quantity")?.unwrap_or(1)));
        }
        if items.is_empty() {
            return Err(StripeError::missing(&one.name("items")));
        }
        if let Some(given) = one.int("start_date")? {
            if place > 0 && given != start {
                return Err(StripeError::invalid(
                    "A phase must start when the one before it ends.",
                )
                .param(one.name("start_date")));
            }
            start = given;
        }
        let end = match (one.int("end_date")?, one.child("duration")) {
            (Some(end), _) => end,
            (None, Some(duration)) => {
                let interval = duration.need("interval")?;
                let count = duration.int("interval_count")?.unwrap_or(1);
                period_end(
                    start,
                    &json!({ "interval": interval, "interval_count": count }),
                    start,
                )
            }
            (None, None) if place + 1 == asked.len() => period_end(start, &recurring, start),
            (None, None) => return Err(StripeError::missing(&one.name("end_date"))),
        };
        if end <= start {
            return Err(StripeError::invalid("A phase must end after it starts.")
                .param(one.name("end_date")));
        }
        let proration = one
            .choice(
                "proration_behavior",
                &["always_invoice", "create_prorations", "none"],
            )?
            .unwrap_or("create_prorations");
        let metadata = one.merged("metadata", &Value::Null);
        phases.push(phase(
            &first["currency"],
            &items,
            start,
            end,
            proration,
            &metadata,
        ));
        start = end;
    }
    Ok(phases)
}

/// A phase is over: the next one's prices hold, or the schedule lets its subscription go.
pub fn turn(state: &mut State, id: &str) {
    let schedule = state.get(id);
    let now = state.now;
    let next = schedule
        .members("phases")
        .iter()
        .find(|it| it.number("start_date") <= now && now < it.number("end_date"))
        .cloned();
    let subscription = state.get(schedule.text("subscription"));
    let Some(phase) = next else {
        if schedule.text("end_behavior") == "cancel" {
            subscriptions::end(state, subscription.id(), "cancellation_requested");
        } else {
            let patch = json!({
                "current_phase": null,
                "released_at": now,
                "released_subscription": subscription["id"],
                "status": "released",
                "subscription": null,
            });
            state.change(id, &patch);
            state.emit("subscription_schedule.released", id);
            let patch = json!({ "schedule": null });
            state.update(subscription.id(), &patch, "customer.subscription.updated");
        }
        return;
    };
    let mut items = Vec::new();
    let old = subscription.members("items");
    for (place, asked) in phase.members("items").iter().enumerate() {
        let price = state.get(asked.text("price"));
        let mut item = match old.get(place) {
            Some(item) => item.clone(),
            None => subscriptions::item(state, subscription.id(), &price, 1, (now, now)),
        };
        item["plan"] = pricing::plan(&price);
        item["price"] = price;
        item["quantity"] = asked["quantity"].clone();
        items.push(item);
    }
    let current = json!({ "end_date": phase["end_date"], "start_date": phase["start_date"] });
    state.update(
        id,
        &json!({ "current_phase": current }),
        "subscription_schedule.updated",
    );
    let mut patch = json!({ "items": subscriptions::items_of(subscription.id(), items) });
    if let Some(metadata) = phase["metadata"].as_object().filter(|it| !it.is_empty()) {
        patch["metadata"] = Value::Object(metadata.clone());
    }
    state.update(subscription.id(), &patch, "customer.subscription.updated");
}

pub fn release(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["preserve_cancel_date"])?;
    let schedule = active(state, id)?;
    let patch = json!({
        "current_phase": null,
        "released_at": state.now,
        "released_subscription": schedule["subscription"],
        "status": "released",
        "subscription": null,
    });
    state.change(id, &patch);
    state.emit("subscription_schedule.released", id);
    let subscription = schedule.text("subscription");
    state.update(
        subscription,
        &json!({ "schedule": null }),
        "customer.subscription.updated",
    );
    Ok(state.get(id))
}

pub fn cancel(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["invoice_now", "prorate"])?;
    let schedule = active(state, id)?;
    subscriptions::end(
        state,
        schedule.text("subscription"),
        "cancellation_requested",
    );
    Ok(state.get(id))
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("subscription_schedule", id, "schedule")
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(&[PAGING.as_slice(), &["customer", "created", "created.*"]].concat())?;
    let customer = p.filled("customer");
    page(
        state,
        "subscription_schedule",
        "/v1/subscription_schedules",
        p,
        |it| customer.is_none_or(|id| it.text("customer") == id),
    )
}
