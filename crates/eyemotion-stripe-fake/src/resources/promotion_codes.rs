//! <https://docs.stripe.com/api/promotion_codes>; since 2025-09 the coupon is named under `promotion`.

use super::coupons;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&[
        "promotion.type",
        "promotion.coupon",
        "code",
        "active",
        "customer",
        "expires_at",
        "max_redemptions",
        "metadata.*",
        "restrictions.first_time_transaction",
        "restrictions.minimum_amount",
        "restrictions.minimum_amount_currency",
    ])?;
    let promotion = p
        .child("promotion")
        .ok_or_else(|| StripeError::missing("promotion"))?;
    let coupon = promotion.need("coupon")?;
    let coupon = state
        .need("coupon", coupon, "promotion[coupon]")?
        .id()
        .to_owned();
    let id = state.new_id("promo");
    let code = match p.filled("code") {
        Some(code) => code.to_owned(),
        None => id.replace("promo_", "").to_uppercase(),
    };
    if find(state, &code).is_some() {
        return Err(StripeError::invalid(format!(
            "An active promotion code with `code: {code}` already exists."
        ))
        .code("resource_already_exists"));
    }
    let restrictions = p.child("restrictions").unwrap_or_default();
    state.insert(json!({
        "id": id,
        "object": "promotion_code",
        "active": p.flag("active")?.unwrap_or(true),
        "code": code,
        "created": state.now,
        "customer": p.filled("customer"),
        "expires_at": p.int("expires_at")?,
        "livemode": false,
        "max_redemptions": p.int("max_redemptions")?,
        "metadata": p.merged("metadata", &Value::Null),
        "promotion": { "coupon": coupon, "type": "coupon" },
        "restrictions": {
            "first_time_transaction": restrictions.flag("first_time_transaction")?.unwrap_or(false),
            "minimum_amount": restrictions.int("minimum_amount")?,
            "minimum_amount_currency": restrictions.filled("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }));
    state.emit("promotion_code.created", &id);
    Ok(state.get(&id))
}

/// The active one with that code, whatever the case of its letters.
pub fn find(state: &State, code: &str) -> Option<Value> {
    let wanted = |it: &&Value| it.flag("active") && it.text("code").eq_ignore_ascii_case(code);
    state.all("promotion_code").find(wanted).cloned()
}

/// Its coupon, where this customer may redeem it for that amount now.
pub fn redeemable(
    state: &State,
    code: &Value,
    customer: Option<&str>,
    amount: i64,
) -> Result<String, StripeError> {
    let refuse = |why: &str| Err(StripeError::invalid(why).code("promotion_code_invalid"));
    let coupon = state.get(code["promotion"].text("coupon"));
    let over = !code["max_redemptions"].is_null()
        && code.number("times_redeemed") >= code.number("max_redemptions");
    let late = code["expires_at"]
        .as_i64()
        .is_some_and(|by| by <= state.now);
    if !code.flag("active") || over || late || !coupons::is_valid(state, &coupon) {
        return refuse("This promotion code cannot be redeemed: it has expired or been used up.");
    }
    let theirs = code.text("customer");
    if !theirs.is_empty() && customer != Some(theirs) {
        return refuse("This promotion code belongs to another customer.");
    }
    let restrictions = &code["restrictions"];
    let paid_before = |id: &str| {
        let mut intents = state.all("payment_intent");
        intents.any(|it| it.text("customer") == id && it.text("status") == "succeeded")
    };
    if restrictions.flag("first_time_transaction") && customer.is_some_and(paid_before) {
        return refuse("This promotion code is for first-time customers.");
    }
    if amount < restrictions.number("minimum_amount") {
        return refuse("The amount is under this promotion code's minimum.");
    }
    Ok(coupon.id().to_owned())
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("promotion_code", id, "promotion_code")
}

pub fn update(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&["active", "metadata.*"])?;
    let mut code = state.need("promotion_code", id, "promotion_code")?;
    if let Some(active) = p.flag("active")? {
        code["active"] = active.into();
    }
    code["metadata"] = p.merged("metadata", &code["metadata"]);
    state.update(id, &code, "promotion_code.updated");
    Ok(state.get(id))
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &[
                "active",
                "code",
                "coupon",
                "customer",
                "created",
                "created.*",
            ],
        ]
        .concat(),
    )?;
    let active = p.flag("active")?;
    let (code, coupon, customer) = (p.filled("code"), p.filled("coupon"), p.filled("customer"));
    page(state, "promotion_code", "/v1/promotion_codes", p, |it| {
        active.is_none_or(|active| it.flag("active") == active)
            && code.is_none_or(|code| it.text("code").eq_ignore_ascii_case(code))
            && coupon.is_none_or(|id| it["promotion"].text("coupon") == id)
            && customer.is_none_or(|id| it.text("customer") == id)
    })
}
