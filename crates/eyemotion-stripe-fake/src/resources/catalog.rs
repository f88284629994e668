//! Products and prices: <https://docs.stripe.com/api/products>, <https://docs.stripe.com/api/prices>

use super::pricing;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

const PRODUCT: [&str; 9] = [
    "id",
    "name",
    "active",
    "description",
    "metadata.*",
    "images.*",
    "tax_code",
    "unit_label",
    "statement_descriptor",
];
const PRICE: [&str; 13] = [
    "currency",
    "unit_amount",
    "active",
    "product",
    "product_data.name",
    "product_data.metadata.*",
    "nickname",
    "lookup_key",
    "transfer_lookup_key",
    "metadata.*",
    "recurring.interval",
    "recurring.interval_count",
    "tax_behavior",
];

pub fn create_product(state: &mut State, p: &Params) -> Answer {
    p.only(&PRODUCT)?;
    let name = p.need("name")?.to_owned();
    if let Some(id) = p.filled("id")
        && state.find(id).is_some()
    {
        return Err(StripeError::invalid("Product already exists.")
            .code("resource_already_exists")
            .param("id"));
    }
    let mut product = new_product(state, &name, p);
    if let Some(active) = p.flag("active")? {
        product["active"] = active.into();
    }
    if let Some(id) = p.filled("id") {
        product["id"] = id.into();
    }
    let id = state.insert(product);
    state.emit("product.created", &id);
    Ok(state.get(&id))
}

pub fn new_product(state: &mut State, name: &str, p: &Params) -> Value {
    let id = state.new_id("prod");
    json!({
        "id": id,
        "object": "product",
        "active": true,
        "created": state.now,
        "default_price": null,
        "description": p.filled("description"),
        "images": p.texts("images"),
        "livemode": false,
        "marketing_features": [],
        "metadata": p.merged("metadata", &Value::Null),
        "name": name,
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": p.filled("statement_descriptor"),
        "tax_code": p.filled("tax_code"),
        "type": "service",
        "unit_label": p.filled("unit_label"),
        "updated": state.now,
        "url": null,
    })
}

pub fn update_product(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&PRODUCT)?;
    let mut product = state.need("product", id, "id")?;
    for key in [
        "name",
        "description",
        "tax_code",
        "unit_label",
        "statement_descriptor",
    ] {
        if let Some(text) = p.text(key) {
            product[key] = if text.is_empty() {
                Value::Null
            } else {
                text.into()
            };
        }
    }
    if let Some(active) = p.flag("active")? {
        product["active"] = active.into();
    }
    if p.has("metadata") {
        product["metadata"] = p.merged("metadata", &product["metadata"]);
    }
    if product != state.get(id) {
        product["updated"] = state.now.into();
    }
    state.update(id, &product, "product.updated");
    Ok(state.get(id))
}

pub fn list_products(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &["active", "ids.*", "created", "created.*"],
        ]
        .concat(),
    )?;
    let (active, ids) = (p.flag("active")?, p.texts("ids"));
    page(state, "product", "/v1/products", p, |it| {
        active.is_none_or(|active| it.flag("active") == active)
            && (ids.is_empty() || ids.iter().any(|id| id == it.id()))
    })
}

pub fn retrieve(state: &State, kind: &str, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    state.need(kind, id, kind)
}

pub fn create_price(state: &mut State, p: &Params) -> Answer {
    p.only(&PRICE)?;
    let currency = pricing::currency(p)?;
    let amount = p.need_int("unit_amount")?;
    if amount < 0 {
        return Err(StripeError::invalid("Invalid non-negative integer")
            .code("parameter_invalid_integer")
            .param("unit_amount"));
    }
    pricing::chargeable(amount, &currency, "unit_amount")?;
    let recurring = pricing::recurring(p)?;
    let lookup_key = p.filled("lookup_key").map(str::to_owned);
    if let Some(key) = &lookup_key {
        take_lookup_key(state, key, None, p.flag("transfer_lookup_key")?)?;
    }
    let product = match p.child("product_data") {
        Some(data) => {
            let name = data.need("name")?.to_owned();
            let product = new_product(state, &name, &data);
            let id = state.insert(product);
            state.emit("product.created", &id);
            id
        }
        None => state
            .need("product", p.need("product")?, "product")?
            .id()
            .to_owned(),
    };
    let mut price = new_price(state, &currency, amount, &product, recurring);
    price["active"] = p.flag("active")?.unwrap_or(true).into();
    price["nickname"] = p.filled("nickname").into();
    price["lookup_key"] = lookup_key.into();
    price["metadata"] = p.merged("metadata", &Value::Null);
    let id = state.insert(price);
    state.emit("price.created", &id);
    Ok(state.get(&id))
}

pub fn new_price(
    state: &mut State,
    currency: &str,
    amount: i64,
    product: &str,
    recurring: Value,
) -> Value {
    let id = state.new_id("price");
    let kind = if recurring.is_null() {
        "one_time"
    } else {
        "recurring"
    };
    let mut price = json!({
        "id": id,
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": state.now,
        "currency": currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": product,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
        "type": kind,
        "unit_amount": amount,
        "unit_amount_decimal": amount.to_string(),
    });
    price["recurring"] = recurring;
    price
}

/// A lookup key belongs to one price. With `transfer_lookup_key` it leaves the one that has it.
fn take_lookup_key(
    state: &mut State,
    key: &str,
    by: Option<&str>,
    transfer: Option<bool>,
) -> Result<(), StripeError> {
    let holder = state
        .all("price")
        .find(|it| it.text("lookup_key") == key && Some(it.id()) != by)
        .map(|it| it.id().to_owned());
    match holder {
        Some(holder) if transfer == Some(true) => {
            state.update(&holder, &json!({ "lookup_key": null }), "price.updated");
            Ok(())
        }
        Some(holder) => Err(StripeError::invalid(format!(
            "A price (`{holder}`) already uses that lookup key."
        ))
        .param("lookup_key")),
        None => Ok(()),
    }
}

pub fn update_price(state: &mut State, id: &str, p: &Params) -> Answer {
    p.only(&[
        "active",
        "lookup_key",
        "transfer_lookup_key",
        "nickname",
        "metadata.*",
        "tax_behavior",
    ])?;
    let mut price = state.need("price", id, "price")?;
    if let Some(key) = p.text("lookup_key") {
        if key.is_empty() {
            price["lookup_key"] = Value::Null;
        } else {
            take_lookup_key(state, key, Some(id), p.flag("transfer_lookup_key")?)?;
            price["lookup_key"] = key.into();
        }
    }
    if let Some(active) = p.flag("active")? {
        price["active"] = active.into();
    }
    if let Some(nickname) = p.text("nickname") {
        price["nickname"] = Some(nickname).filter(|it| !it.is_empty()).into();
    }
    if p.has("metadata") {
        price["metadata"] = p.merged("metadata", &price["metadata"]);
    }
    state.update(id, &price, "price.updated");
    Ok(state.get(id))
}

pub fn list_prices(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &[
                "active",
                "lookup_keys.*",
                "product",
                "currency",
                "type",
                "created",
                "created.*",
            ],
            &["recurring.interval"],
        ]
        .concat(),
    )?;
    let (active, keys) = (p.flag("active")?, p.texts("lookup_keys"));
    let wanted = |key: &str| p.filled(key).map(str::to_owned);
    let (product, currency, kind) = (wanted("product"), wanted("currency"), wanted("type"));
    page(state, "price", "/v1/prices", p, |it| {
        active.is_none_or(|active| it.flag("active") == active)
            && (keys.is_empty() || keys.iter().any(|key| key == it.text("lookup_key")))
            && product.as_ref().is_none_or(|id| it.text("product") == id)
            && currency
                .as_ref()
                .is_none_or(|word| it.text("currency") == word)
            && kind.as_ref().is_none_or(|word| it.text("type") == word)
    })
}
