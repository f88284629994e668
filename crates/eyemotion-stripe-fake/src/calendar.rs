//! Billing periods: whole intervals from an anchor, clamped to the month's end.
//! <https://docs.stripe.com/billing/subscriptions/billing-cycle>

use crate::document::Document;
use chrono::{DateTime, Months};
use serde_json::Value;

const DAY: i64 = 86_400;

/// The start of the period after `n` intervals of `price`'s `recurring`, in Unix seconds.
fn after(anchor: i64, recurring: &Value, n: i64) -> i64 {
    let count = recurring.number("interval_count").max(1) * n;
    match recurring.text("interval") {
        "day" => anchor + count * DAY,
        "week" => anchor + count * 7 * DAY,
        "year" => months_after(anchor, count * 12),
        _ => months_after(anchor, count),
    }
}

/// The same day of a later month, or its last.
pub fn months_after(from: i64, count: i64) -> i64 {
    let date = DateTime::from_timestamp(from, 0).unwrap_or_default();
    let count = Months::new(u32::try_from(count).unwrap_or(0));
    date.checked_add_months(count).unwrap_or(date).timestamp()
}

/// A quotient to the nearest whole, halves away from zero.
pub fn rounded(numerator: i128, denominator: i128) -> i64 {
    let half = denominator / 2;
    let shifted = if numerator < 0 {
        numerator - half
    } else {
        numerator + half
    };
    i64::try_from(shifted / denominator).unwrap_or(i64::MAX)
}

/// The first boundary of `recurring` from `anchor` that lies behind `start`.
pub fn period_end(anchor: i64, recurring: &Value, start: i64) -> i64 {
    let mut n = 0;
    loop {
        let end = after(anchor, recurring, n);
        if end > start {
            return end;
        }
        n += 1;
    }
}
