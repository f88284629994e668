//! Lines of subscription invoices, and prorations among them.
//! <https://docs.stripe.com/billing/subscriptions/prorations>

use super::discounts;
use crate::calendar::rounded;
use crate::document::Document;
use crate::state::State;
use serde_json::{Value, json};

/// Seconds from and to.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub start: i64,
    pub end: i64,
}

/// One line for a subscription item over a period. `proration` lines take no further discount.
pub fn line(
    state: &mut State,
    item: &Value,
    amount: i64,
    period: Period,
    description: &str,
    proration: bool,
) -> Value {
    let id = state.new_id("il");
    let price = &item["price"];
    json!({
        "id": id,
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": !proration,
        "discounts": [],
        "invoice": null,
        "livemode": false,
        "metadata": {},
        "parent": {
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null,
                "proration": proration,
                "proration_details": { "credited_items": null },
                "subscription": item["subscription"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": { "end": period.end, "start": period.start },
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": { "price": price["id"], "product": price["product"] },
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "quantity_decimal": item.number("quantity").to_string(),
        "subscription": item["subscription"],
        "subtotal": amount,
        "taxes": [],
    })
}

/// The lines of whole periods.
pub fn full(state: &mut State, items: &[Value]) -> Vec<Value> {
    let mut lines = Vec::new();
    for item in items {
        let period = of_item(item);
        let words = format!(
            "{} × {} (at {})",
            item["quantity"],
            name(state, item),
            item["price"]["unit_amount"]
        );
        lines.push(line(state, item, amount(item), period, &words, false));
    }
    lines
}

pub fn of_item(item: &Value) -> Period {
    Period {
        start: item.number("current_period_start"),
        end: item.number("current_period_end"),
    }
}

/// What an item costs for a whole period.
pub fn amount(item: &Value) -> i64 {
    item["price"].number("unit_amount") * item.number("quantity")
}

/// The share of `amount` that falls to the rest of `period` from `at`, to the nearest minor unit.
pub fn share(amount: i64, period: Period, at: i64) -> i64 {
    let left = (period.end - at).max(0);
    let whole = (period.end - period.start).max(1);
    rounded(i128::from(amount) * i128::from(left), i128::from(whole))
}

/// The lines of an item's change at `at`: what was not used of the old one goes back, the rest of the new
/// one's period is due, both less the coupons that hold.
pub fn proration(
    state: &mut State,
    old: &Value,
    new: &Value,
    at: i64,
    coupons: &[Value],
) -> Vec<Value> {
    let (before, after) = (of_item(old), of_item(new));
    let unused = share(discounted(amount(old), coupons), before, at);
    let due = share(discounted(amount(new), coupons), after, at);
    let back = Period {
        start: at,
        end: before.end,
    };
    let ahead = Period {
        start: at,
        end: after.end,
    };
    let words = format!("Unused time on {}", name(state, old));
    let mut lines = vec![line(state, old, -unused, back, &words, true)];
    // A period that begins now is due whole, as an ordinary line.
    if after.start == at {
        lines.extend(full(state, std::slice::from_ref(new)));
    } else {
        let words = format!("Remaining time on {}", name(state, new));
        lines.push(line(state, new, due, ahead, &words, true));
    }
    lines
}

fn discounted(amount: i64, coupons: &[Value]) -> i64 {
    coupons
        .iter()
        .fold(amount, |left, coupon| left - discounts::off(coupon, left))
}

fn name(state: &State, item: &Value) -> String {
    let product = state.get(item["price"].text("product"));
    product.text("name").to_owned()
}
