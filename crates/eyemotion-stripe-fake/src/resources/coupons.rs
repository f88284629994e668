//! <https://docs.stripe.com/api/coupons>

use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&[
        "id",
        "name",
        "percent_off",
        "amount_off",
        "currency",
        "duration",
        "duration_in_months",
        "max_redemptions",
        "redeem_by",
        "metadata.*",
    ])?;
    let percent = match p.filled("percent_off") {
        None => None,
        Some(text) => Some(
            text.parse::<f64>()
                .ok()
                .filter(|it| *it > 0.0 && *it <= 100.0)
                .ok_or_else(|| {
                    StripeError::invalid("Invalid percent_off: must be above 0 and at most 100")
                        .param("percent_off")
                })?,
        ),
    };
    let amount = p.int("amount_off")?;
    if percent.is_some() == amount.is_some() {
        return Err(StripeError::invalid(
            "Must pass exactly one of percent_off and amount_off.",
        ));
    }
    if amount.is_some() {
        p.need("currency")?;
    }
    let duration = p
        .choice("duration", &["once", "repeating", "forever"])?
        .unwrap_or("once");
    let months = p.int("duration_in_months")?;
    if (duration == "repeating") != months.is_some() {
        return Err(StripeError::invalid(
            "duration_in_months goes with a duration of repeating, and only with it.",
        )
        .param("duration_in_months"));
    }
    let id = match p.filled("id") {
        Some(id) => id.to_owned(),
        None => state.new_id("co").replace("co_", ""),
    };
    if state.find(&id).is_some() {
        return Err(StripeError::invalid("Coupon already exists.")
            .code("resource_already_exists")
            .param("id"));
    }
    state.insert(json!({
        "id": id,
        "object": "coupon",
        "amount_off": amount,
        "created": state.now,
        "currency": p.filled("currency").filter(|_| amount.is_some()).map(str::to_lowercase),
        "duration": duration,
        "duration_in_months": months,
        "livemode": false,
        "max_redemptions": p.int("max_redemptions")?,
        "metadata": p.merged("metadata", &Value::Null),
        "name": p.filled("name"),
        "percent_off": percent,
        "redeem_by": p.int("redeem_by")?,
        "times_redeemed": 0,
        "valid": true,
    }));
    state.emit("coupon.created", &id);
    Ok(state.get(&id))
}

/// Whether it can still be redeemed.
pub fn is_valid(state: &State, coupon: &Value) -> bool {
    let unlimited = coupon["max_redemptions"].is_null();
    let late = coupon["redeem_by"]
        .as_i64()
        .is_some_and(|by| by <= state.now);
    !late && (unlimited || coupon.number("times_redeemed") < coupon.number("max_redemptions"))
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    let mut coupon = state.need("coupon", id, "coupon")?;
    coupon["valid"] = is_valid(state, &coupon).into();
    Ok(coupon)
}

pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["name", "metadata.*"])?;
    let mut coupon = state.need("coupon", id, "coupon")?;
    if let Some(name) = p.filled("name") {
        coupon["name"] = name.into();
    }
    coupon["metadata"] = p.merged("metadata", &coupon["metadata"]);
    state.update(id, &coupon, "coupon.updated");
    Ok(state.get(id))
}

/// Those who have it keep it; nobody new gets it.
pub fn delete(state: &mut State, id: &str) -> Answer {
    state.need("coupon", id, "coupon")?;
    state.emit("coupon.deleted", id);
    state.remove("coupon", id);
    Ok(json!({ "id": id, "object": "coupon", "deleted": true }))
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(&[PAGING.as_slice(), &["created", "created.*"]].concat())?;
    page(state, "coupon", "/v1/coupons", p, |_| true)
}
