//! Checkout sessions: <https://docs.stripe.com/api/checkout/sessions>

use super::{discounts, intents, pricing};
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, cut, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const FIELDS: [&str; 40] = [
    "mode",
    "success_url",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "customer_creation",
    "customer_update.*",
    "currency",
    "locale",
    "ui_mode",
    "expires_at",
    "metadata.*",
    "allow_promotion_codes",
    "discounts.*.coupon",
    "discounts.*.promotion_code",
    "payment_method_types.*",
    "payment_method_collection",
    "payment_method_options.**",
    "line_items.*.price",
    "line_items.*.quantity",
    "line_items.*.price_data.currency",
    "line_items.*.price_data.unit_amount",
    "line_items.*.price_data.product",
    "line_items.*.price_data.product_data.name",
    "line_items.*.price_data.product_data.description",
    "line_items.*.price_data.product_data.metadata.*",
    "line_items.*.price_data.recurring.interval",
    "line_items.*.price_data.recurring.interval_count",
    "line_items.*.price_data.tax_behavior",
    "payment_intent_data.metadata.*",
    "payment_intent_data.description",
    "payment_intent_data.setup_future_usage",
    "subscription_data.metadata.*",
    "subscription_data.description",
    "subscription_data.trial_end",
    "subscription_data.trial_period_days",
    "automatic_tax.enabled",
    "billing_address_collection",
    "tax_id_collection.enabled",
];

/// What completes a session later, and is not shown.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub lines: Vec<Value>,
    pub discount: Option<discounts::Choice>,
    pub intent_metadata: Value,
    pub intent_description: Option<String>,
    pub subscription_metadata: Value,
    pub trial_end: Option<i64>,
}

#[expect(clippy::too_many_lines, reason = "most of them are one document")]
pub fn create(state: &mut State, p: &Params) -> Answer {
    p.only(&FIELDS)?;
    let mode = p.choice("mode", &["payment", "subscription"])?;
    let mode = mode.ok_or_else(|| StripeError::missing("mode"))?.to_owned();
    let success = p.need("success_url")?;
    let customer = p.filled("customer").map(str::to_owned);
    if let Some(customer) = &customer {
        super::alive(state, "customer", customer, "customer")?;
        if p.has("customer_email") {
            return Err(StripeError::invalid(
                "You may only specify one of these parameters: customer, customer_email.",
            ));
        }
    }
    if p.flag("allow_promotion_codes")? == Some(true) && p.has("discounts") {
        return Err(StripeError::invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
        ));
    }
    let expires_at = p.int("expires_at")?.unwrap_or(state.now + DAY);
    if !(state.now + 30 * 60..=state.now + DAY).contains(&expires_at) {
        return Err(StripeError::invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
        )
        .param("expires_at"));
    }
    let (lines, currency) = lines(state, p, &mode)?;
    let subtotal: i64 = lines
        .iter()
        .map(|line| line.number("amount_subtotal"))
        .sum();
    let discount = discounts::chosen(state, p, customer.as_deref(), subtotal)?;
    let data = p.child("subscription_data").unwrap_or_default();
    let intent = p.child("payment_intent_data").unwrap_or_default();
    let days = data
        .int("trial_period_days")?
        .map(|days| state.now + days * DAY);
    let id = state.new_id("cs_test");
    let plan = Plan {
        lines,
        discount: discount.clone(),
        intent_metadata: intent.merged("metadata", &Value::Null),
        intent_description: intent.filled("description").map(str::to_owned),
        subscription_metadata: data.merged("metadata", &Value::Null),
        trial_end: data.int("trial_end")?.or(days),
    };
    let methods = p.texts("payment_method_types");
    let subscription = mode == "subscription";
    let session = json!({
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": null,
        "after_expiration": null,
        "allow_promotion_codes": p.flag("allow_promotion_codes")?,
        "amount_subtotal": subtotal,
        "amount_total": subtotal,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "billing_address_collection": p.filled("billing_address_collection"),
        "cancel_url": p.filled("cancel_url"),
        "client_reference_id": p.filled("client_reference_id"),
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": state.now,
        "currency": currency,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "customer": customer,
        "customer_creation": (!subscription).then(|| p.filled("customer_creation").unwrap_or("if_required")),
        "customer_details": null,
        "customer_email": p.filled("customer_email"),
        "discounts": discount.iter().map(shown).collect::<Vec<_>>(),
        "expires_at": expires_at,
        "invoice": null,
        "invoice_creation": null,
        "livemode": false,
        "locale": p.filled("locale"),
        "metadata": p.merged("metadata", &Value::Null),
        "mode": mode,
        "origin_context": null,
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": subscription.then_some("always"),
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": if methods.is_empty() { vec!["card".to_owned()] } else { methods },
        "payment_status": "unpaid",
        "permissions": null,
        "phone_number_collection": { "enabled": false },
        "recovered_from": null,
        "saved_payment_method_options": null,
        "setup_intent": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": null,
        "subscription": null,
        "success_url": success,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": p.filled("ui_mode").unwrap_or("hosted_page"),
        "url": format!("https://checkout.stripe.com/c/pay/{id}"),
        "wallet_options": null,
    });
    state.insert(session);
    state.plans.insert(id.clone(), plan);
    total(state, &id)?;
    Ok(state.get(&id))
}

fn shown(choice: &discounts::Choice) -> Value {
    json!({ "coupon": choice.coupon, "promotion_code": choice.code })
}

fn lines(state: &mut State, p: &Params, mode: &str) -> Result<(Vec<Value>, String), StripeError> {
    let mut lines = Vec::new();
    let mut currency = String::new();
    for line in p.list("line_items") {
        let price = pricing::of_line(state, &line)?;
        let quantity = line.int("quantity")?.unwrap_or(1);
        if quantity < 1 {
            return Err(
                StripeError::invalid("Quantity must be at least 1.").param(line.name("quantity"))
            );
        }
        let recurring = !price["recurring"].is_null();
        if recurring && mode == "payment" {
            return Err(StripeError::invalid(
                "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
            ));
        }
        if !recurring && mode == "subscription" {
            return Err(StripeError::invalid(
                "You must provide at least one recurring price in `subscription` mode when using prices.",
            ));
        }
        if !currency.is_empty() && currency != price.text("currency") {
            return Err(StripeError::invalid(
                "All prices must have the same currency.",
            ));
        }
        price.text("currency").clone_into(&mut currency);
        let amount = price.number("unit_amount") * quantity;
        let product = state.get(price.text("product"));
        let id = state.new_id("li");
        lines.push(json!({
            "id": id,
            "object": "item",
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": currency,
            "description": product["name"],
            "metadata": {},
            "price": price,
            "quantity": quantity,
        }));
    }
    if lines.is_empty() {
        return Err(StripeError::missing("line_items"));
    }
    Ok((lines, currency))
}

/// Works the discount into the lines and the session's sums.
pub fn total(state: &mut State, id: &str) -> Result<(), StripeError> {
    let Some(mut plan) = state.plans.get(id).cloned() else {
        return Ok(());
    };
    let session = state.get(id);
    let subtotal = session.number("amount_subtotal");
    let coupon = plan.discount.as_ref().map(|it| state.get(&it.coupon));
    let off = coupon.map_or(0, |coupon| discounts::off(&coupon, subtotal));
    pricing::chargeable(subtotal - off, session.text("currency"), "line_items")?;
    let mut left = off;
    for line in &mut plan.lines {
        let part = left.min(line.number("amount_subtotal"));
        left -= part;
        line["amount_discount"] = part.into();
        line["amount_total"] = (line.number("amount_subtotal") - part).into();
    }
    let patch = json!({
        "amount_total": if plan.trial_end.is_some() { 0 } else { subtotal - off },
        "discounts": plan.discount.iter().map(shown).collect::<Vec<_>>(),
        "total_details": { "amount_discount": off, "amount_shipping": 0, "amount_tax": 0 },
    });
    state.plans.insert(id.to_owned(), plan);
    state.change(id, &patch);
    Ok(())
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need("checkout.session", id, "session")
}

pub fn line_items(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&PAGING)?;
    state.need("checkout.session", id, "session")?;
    let lines = state.plans.get(id).map(|plan| plan.lines.clone());
    cut(
        &lines.unwrap_or_default(),
        &format!("/v1/checkout/sessions/{id}/line_items"),
        p,
    )
}

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &[
                "customer",
                "payment_intent",
                "subscription",
                "status",
                "created",
                "created.*",
            ],
        ]
        .concat(),
    )?;
    page(
        state,
        "checkout.session",
        "/v1/checkout/sessions",
        p,
        |it| {
            ["customer", "payment_intent", "subscription", "status"]
                .iter()
                .all(|key| p.filled(key).is_none_or(|value| it.text(key) == value))
        },
    )
}

pub fn expire(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    let session = state.need("checkout.session", id, "session")?;
    let status = session.text("status");
    if status != "open" {
        return Err(StripeError::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {status}."
        )));
    }
    lapse(state, id);
    Ok(state.get(id))
}

/// Its time is over.
pub fn lapse(state: &mut State, id: &str) {
    let intent = state.get(id).text("payment_intent").to_owned();
    state.change(id, &json!({ "status": "expired", "url": null }));
    if state.get(&intent).text("status").starts_with("requires_") {
        intents::drop_it(state, &intent, Some("abandoned"));
    }
    state.emit("checkout.session.expired", id);
}
