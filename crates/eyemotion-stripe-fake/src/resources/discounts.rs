//! Coupons as they apply to subscriptions, sessions and invoices: <https://docs.stripe.com/api/discounts>

use super::{coupons, promotion_codes};
use crate::calendar::months_after;
use crate::document::Document;
use crate::error::StripeError;
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// A coupon that was chosen, with the promotion code that led to it.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    pub coupon: String,
    pub code: Option<String>,
}

/// The one that `discounts[]` names. Stripe takes one a session.
pub fn chosen(
    state: &State,
    p: &Params,
    customer: Option<&str>,
    amount: i64,
) -> Result<Option<Choice>, StripeError> {
    let Some(first) = p.list("discounts").into_iter().next() else {
        return Ok(None);
    };
    if let Some(id) = first.filled("promotion_code") {
        let code = state.need("promotion_code", id, &first.name("promotion_code"))?;
        let coupon = promotion_codes::redeemable(state, &code, customer, amount)?;
        return Ok(Some(Choice {
            coupon,
            code: Some(id.to_owned()),
        }));
    }
    let Some(id) = first.filled("coupon") else {
        return Ok(None);
    };
    let coupon = state.need("coupon", id, &first.name("coupon"))?;
    if !coupons::is_valid(state, &coupon) {
        return Err(StripeError::invalid("This coupon has expired.")
            .code("coupon_expired")
            .param(first.name("coupon")));
    }
    Ok(Some(Choice {
        coupon: id.to_owned(),
        code: None,
    }))
}

/// Redeems it for a subscription.
pub fn redeem(state: &mut State, choice: &Choice, customer: &str, subscription: &str) -> String {
    count(state, choice);
    let coupon = state.get(&choice.coupon);
    let end = (coupon.text("duration") == "repeating")
        .then(|| months_after(state.now, coupon.number("duration_in_months")));
    let id = state.new_id("di");
    state.insert(json!({
        "id": id,
        "object": "discount",
        "checkout_session": null,
        "customer": customer,
        "end": end,
        "invoice": null,
        "invoice_item": null,
        "promotion_code": choice.code,
        "source": { "coupon": choice.coupon, "type": "coupon" },
        "start": state.now,
        "subscription": subscription,
        "subscription_item": null,
    }));
    state.emit("customer.discount.created", &id);
    id
}

/// One more redemption.
pub fn count(state: &mut State, choice: &Choice) {
    for id in [Some(&choice.coupon), choice.code.as_ref()]
        .into_iter()
        .flatten()
    {
        let used = state.get(id).number("times_redeemed") + 1;
        state.change(id, &json!({ "times_redeemed": used }));
    }
}

/// How much a coupon takes off an amount, never more than all of it.
pub fn off(coupon: &Value, amount: i64) -> i64 {
    if amount <= 0 {
        return 0;
    }
    match coupon["percent_off"].as_f64() {
        // Percentages have at most two decimals, so that hundredths of one are whole.
        Some(percent) => {
            #[expect(clippy::cast_possible_truncation, reason = "between 0 and 10,000")]
            let hundredths = (percent * 100.0).round() as i64;
            crate::calendar::rounded(i128::from(amount) * i128::from(hundredths), 10_000)
        }
        None => coupon.number("amount_off").min(amount),
    }
}

/// The discounts of a subscription that still hold; what has run out is taken away with its event.
pub fn holding(state: &mut State, subscription: &str) -> Vec<Value> {
    let document = state.get(subscription);
    let all: Vec<Value> = document
        .members("discounts")
        .iter()
        .filter_map(|id| state.find(id.as_str()?).cloned())
        .collect();
    let now = state.now;
    let (over, holding): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|it| it["end"].as_i64().is_some_and(|end| end <= now));
    remove(state, subscription, &over);
    holding
}

/// Takes discounts away from a subscription.
pub fn remove(state: &mut State, subscription: &str, gone: &[Value]) {
    if gone.is_empty() {
        return;
    }
    let document = state.get(subscription);
    let left: Vec<&Value> = document
        .members("discounts")
        .iter()
        .filter(|id| !gone.iter().any(|it| it["id"] == **id))
        .collect();
    state.change(subscription, &json!({ "discounts": left }));
    for discount in gone {
        state.emit("customer.discount.deleted", discount.id());
    }
}
