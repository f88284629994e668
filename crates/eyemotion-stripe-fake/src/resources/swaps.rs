//! Other items of a subscription, and the lines that the change costs.
//! <https://docs.stripe.com/billing/subscriptions/prorations>

use super::invoice_lines::{full, of_item, proration};
use super::{discounts, pricing, subscriptions};
use crate::calendar::period_end;
use crate::document::Document;
use crate::error::StripeError;
use crate::params::Params;
use crate::state::State;
use serde_json::Value;
use std::slice;

/// What the items become.
pub struct Swap {
    pub items: Vec<Value>,
    pub anchor: i64,
    pub lines: Vec<Value>,
    /// A new period has begun, which is invoiced at once whatever is asked.
    pub resets: bool,
}

/// What holds for every item of a change.
struct Terms<'a> {
    subscription: &'a Value,
    mode: &'a str,
    at: i64,
    /// The period is to begin anew.
    anew: bool,
    coupons: Vec<Value>,
}

impl Swap {
    /// Works out what `items` asks for. Nothing is changed yet.
    pub fn of(
        state: &mut State,
        subscription: &Value,
        p: &Params,
        mode: &str,
    ) -> Result<Self, StripeError> {
        let terms = Terms {
            subscription,
            mode,
            at: p.int("proration_date")?.unwrap_or(state.now),
            anew: p.filled("billing_cycle_anchor") == Some("now"),
            coupons: discounts::holding(state, subscription.id())
                .iter()
                .map(|it| state.get(it["source"].text("coupon")))
                .filter(|it| it.text("duration") != "once")
                .collect(),
        };
        let mut swap = Self {
            items: subscription.members("items").to_vec(),
            anchor: subscription.number("billing_cycle_anchor"),
            lines: Vec::new(),
            resets: terms.anew,
        };
        let mut changes = p.list("items");
        if changes.is_empty() {
            changes.push(Params::default());
        }
        for change in changes {
            swap.apply(state, &terms, &change)?;
        }
        if swap.items.is_empty() {
            return Err(StripeError::invalid(
                "A subscription must have at least one active plan.",
            ));
        }
        Ok(swap)
    }

    fn apply(
        &mut self,
        state: &mut State,
        terms: &Terms,
        change: &Params,
    ) -> Result<(), StripeError> {
        let place = self.place(change)?;
        let before = place.and_then(|place| self.items.get(place)).cloned();
        if change.flag("deleted")? == Some(true) {
            if let Some(place) = place {
                let old = self.items.remove(place);
                let mut gone = old.clone();
                gone["quantity"] = 0.into();
                let lines = proration(state, &old, &gone, terms.at, &terms.coupons);
                self.lines.extend(lines);
            }
            return Ok(());
        }
        let price = match (&before, change.has("price")) {
            (Some(before), false) => before["price"].clone(),
            _ => pricing::of_line(state, change)?,
        };
        if price["currency"] != terms.subscription["currency"] {
            return Err(StripeError::invalid(
                "The price specified has another currency than the subscription.",
            )
            .param(change.name("price")));
        }
        let old = if let Some(before) = before {
            before
        } else {
            let period = self.items.first().map(of_item);
            let period = period.map_or((state.now, state.now), |it| (it.start, it.end));
            subscriptions::item(state, terms.subscription.id(), &price, 0, period)
        };
        let new = self.renewed(state, terms, &old, &price, change.int("quantity")?);
        let trial = terms.subscription.text("status") == "trialing";
        if terms.mode == "none" && self.resets {
            self.lines.extend(full(state, slice::from_ref(&new)));
        } else if terms.mode != "none" && !trial {
            let lines = proration(state, &old, &new, terms.at, &terms.coupons);
            self.lines.extend(lines);
        }
        match place.and_then(|place| self.items.get_mut(place)) {
            Some(slot) => *slot = new,
            None => self.items.push(new),
        }
        Ok(())
    }

    /// Which item a change means; none for a new one.
    fn place(&self, change: &Params) -> Result<Option<usize>, StripeError> {
        let Some(id) = change.filled("id") else {
            return Ok((!change.has("price")).then_some(0));
        };
        let place = self.items.iter().position(|it| it.id() == id);
        place
            .map(Some)
            .ok_or_else(|| StripeError::not_found("subscription item", id, &change.name("id")))
    }

    /// An item at another price. Another interval begins a new period.
    fn renewed(
        &mut self,
        state: &State,
        terms: &Terms,
        old: &Value,
        price: &Value,
        quantity: Option<i64>,
    ) -> Value {
        let mut new = old.clone();
        let quantity = quantity.unwrap_or_else(|| old.number("quantity").max(1));
        new["quantity"] = quantity.into();
        new["plan"] = pricing::plan(price);
        new["price"] = price.clone();
        let (before, after) = (&old["price"]["recurring"], &price["recurring"]);
        let same = before["interval"] == after["interval"]
            && before["interval_count"] == after["interval_count"];
        if (!same || terms.anew) && terms.subscription.text("status") != "trialing" {
            self.anchor = state.now;
            self.resets = true;
            new["current_period_start"] = state.now.into();
            new["current_period_end"] = period_end(state.now, after, state.now).into();
        }
        new
    }
}
