//! What an amount must be, and what a price parameter means.

use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// The smallest charge in minor units: <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>.
pub fn minimum(currency: &str) -> i64 {
    match currency {
        "thb" | "mxn" => 1_000,
        "gbp" => 30,
        "hkd" => 400,
        "myr" => 200,
        _ => 50,
    }
}

/// Refuses a charge that is too small. Nothing at all is not a charge.
pub fn chargeable(amount: i64, currency: &str, param: &str) -> Result<(), StripeError> {
    if amount != 0 && amount < minimum(currency) {
        return Err(StripeError::invalid(format!(
            "Amount must convert to at least the minimum of {} {currency}.",
            minimum(currency)
        ))
        .code("amount_too_small")
        .param(param));
    }
    Ok(())
}

/// Three letters, lower case, or Stripe's refusal.
pub fn currency(p: &Params) -> Result<String, StripeError> {
    let currency = p.need("currency")?.to_lowercase();
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        Ok(currency)
    } else {
        Err(StripeError::invalid(format!("Invalid currency: {currency}")).param(p.name("currency")))
    }
}

/// `recurring` of a price, from its parameters; `Null` where it is for one time.
pub fn recurring(p: &Params) -> Answer {
    let Some(recurring) = p.child("recurring") else {
        return Ok(Value::Null);
    };
    recurring.need("interval")?;
    Ok(json!({
        "interval": recurring.choice("interval", &["day", "week", "month", "year"])?,
        "interval_count": recurring.int("interval_count")?.unwrap_or(1),
        "meter": null,
        "trial_period_days": null,
        "usage_type": "licensed",
    }))
}

/// The price that a line item names by `price`, or makes by `price_data`.
pub fn of_line(state: &mut State, line: &Params) -> Answer {
    if let Some(id) = line.filled("price") {
        let price = state.need("price", id, &line.name("price"))?;
        if !price.flag("active") {
            return Err(StripeError::invalid(
                "The price specified is inactive. This field only accepts active prices.",
            )
            .param(line.name("price")));
        }
        return Ok(price);
    }
    let data = line
        .child("price_data")
        .ok_or_else(|| StripeError::missing(&line.name("price")))?;
    let currency = currency(&data)?;
    let amount = data.need_int("unit_amount")?;
    if amount < 0 {
        return Err(StripeError::invalid("Invalid non-negative integer")
            .code("parameter_invalid_integer")
            .param(data.name("unit_amount")));
    }
    let recurring = recurring(&data)?;
    let product = match (data.filled("product"), data.child("product_data")) {
        (Some(product), _) => state.need("product", product, &data.name("product"))?,
        (None, Some(product)) => {
            let name = product.need("name")?.to_owned();
            let made = super::catalog::new_product(state, &name, &product);
            state.insert(made.clone());
            made
        }
        (None, None) => return Err(StripeError::missing(&data.name("product"))),
    };
    let price = super::catalog::new_price(state, &currency, amount, product.id(), recurring);
    // Prices made in passing cannot be bought again.
    let id = state.insert(price);
    state.change(&id, &json!({ "active": false }));
    Ok(state.get(&id))
}

/// `plan`, which items still carry beside their price.
pub fn plan(price: &Value) -> Value {
    json!({
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": false,
        "metadata": price["metadata"],
        "meter": null,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": null,
        "transform_usage": null,
        "trial_period_days": null,
        "usage_type": "licensed",
    })
}
