//! The endpoints, one file per resource, and who answers which.

mod billing_portal;
mod catalog;
mod charges;
mod checkout;
mod checkout_pay;
mod coupons;
mod customers;
mod discounts;
mod disputes;
mod events;
mod fraud_warnings;
mod intents;
mod invoice_lines;
mod invoice_pay;
mod invoice_payments;
mod invoices;
mod payment_methods;
mod previews;
mod pricing;
mod promotion_codes;
mod refunds;
mod schedules;
mod subscription_changes;
mod subscription_status;
mod subscriptions;
mod swaps;
mod webhook_endpoints;

pub use checkout::Plan;

pub mod actions;
pub mod due;

use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::state::State;

/// Answers a request to `/v1/...`, given as its parts.
pub fn answer(state: &mut State, method: &str, path: &[&str], p: &Params) -> Answer {
    match (method, path) {
        ("POST", ["customers"]) => customers::create(state, p),
        ("GET", ["customers"]) => customers::list(state, p),
        ("GET", ["customers", id]) => customers::retrieve(state, id, p),
        ("POST", ["customers", id]) => customers::update(state, id, p),
        ("DELETE", ["customers", id]) => customers::delete(state, id),
        ("GET", ["customers", id, "payment_methods"]) => payment_methods::of_customer(state, id, p),
        ("GET", ["payment_methods", id]) => payment_methods::retrieve(state, id, p),
        ("POST", ["products"]) => catalog::create_product(state, p),
        ("GET", ["products"]) => catalog::list_products(state, p),
        ("GET", ["products", id]) => catalog::retrieve(state, "product", id, p),
        ("POST", ["products", id]) => catalog::update_product(state, id, p),
        ("POST", ["prices"]) => catalog::create_price(state, p),
        ("GET", ["prices"]) => catalog::list_prices(state, p),
        ("GET", ["prices", id]) => catalog::retrieve(state, "price", id, p),
        ("POST", ["prices", id]) => catalog::update_price(state, id, p),
        ("POST", ["coupons"]) => coupons::create(state, p),
        ("GET", ["coupons"]) => coupons::list(state, p),
        ("GET", ["coupons", id]) => coupons::retrieve(state, id, p),
        ("POST", ["coupons", id]) => coupons::update(state, id, p),
        ("DELETE", ["coupons", id]) => coupons::delete(state, id),
        ("POST", ["promotion_codes"]) => promotion_codes::create(state, p),
        ("GET", ["promotion_codes"]) => promotion_codes::list(state, p),
        ("GET", ["promotion_codes", id]) => promotion_codes::retrieve(state, id, p),
        ("POST", ["promotion_codes", id]) => promotion_codes::update(state, id, p),
        ("POST", ["checkout", "sessions"]) => checkout::create(state, p),
        ("GET", ["checkout", "sessions"]) => checkout::list(state, p),
        ("GET", ["checkout", "sessions", id]) => checkout::retrieve(state, id, p),
        ("POST", ["checkout", "sessions", id, "expire"]) => checkout::expire(state, id, p),
        ("GET", ["checkout", "sessions", id, "line_items"]) => checkout::line_items(state, id, p),
        ("POST", ["billing_portal", "sessions"]) => billing_portal::create(state, p),
        ("GET", ["webhook_endpoints"]) => webhook_endpoints::list(state, p),
        ("POST", ["webhook_endpoints"]) => webhook_endpoints::create(state, p),
        ("GET", ["webhook_endpoints", id]) => webhook_endpoints::retrieve(state, id, p),
        ("POST", ["webhook_endpoints", id]) => webhook_endpoints::update(state, id, p),
        ("DELETE", ["webhook_endpoints", id]) => webhook_endpoints::delete(state, id),
        ("GET", ["events"]) => events::list(state, p),
        ("GET", ["events", id]) => events::retrieve(state, id, p),
        _ => answer_billing(state, method, path, p),
    }
}

fn answer_billing(state: &mut State, method: &str, path: &[&str], p: &Params) -> Answer {
    match (method, path) {
        ("POST", ["subscriptions"]) => subscriptions::create(state, p),
        ("GET", ["subscriptions"]) => subscriptions::list(state, p),
        ("GET", ["subscriptions", id]) => subscriptions::retrieve(state, id, p),
        ("POST", ["subscriptions", id]) => subscription_changes::update(state, id, p),
        ("DELETE", ["subscriptions", id]) => subscriptions::cancel(state, id, p),
        ("POST", ["subscription_schedules"]) => schedules::create(state, p),
        ("GET", ["subscription_schedules"]) => schedules::list(state, p),
        ("GET", ["subscription_schedules", id]) => schedules::retrieve(state, id, p),
        ("POST", ["subscription_schedules", id]) => schedules::update(state, id, p),
        ("POST", ["subscription_schedules", id, "release"]) => schedules::release(state, id, p),
        ("POST", ["subscription_schedules", id, "cancel"]) => schedules::cancel(state, id, p),
        ("GET", ["invoices"]) => invoices::list(state, p),
        ("POST", ["invoices", "create_preview"]) => previews::preview(state, p),
        ("GET", ["invoices", id]) => invoices::retrieve(state, id, p),
        ("GET", ["invoices", id, "lines"]) => invoices::lines(state, id, p),
        ("POST", ["invoices", id, "pay"]) => invoices::pay(state, id, p),
        ("POST", ["invoices", id, "finalize"]) => invoices::finalize_now(state, id, p),
        ("POST", ["invoices", id, "void"]) => invoices::void(state, id, p),
        ("POST", ["invoices", id, "mark_uncollectible"]) => invoices::give_up(state, id, p),
        ("GET", ["invoice_payments"]) => invoice_payments::list(state, p),
        ("GET", ["invoice_payments", id]) => invoice_payments::retrieve(state, id, p),
        ("GET", ["payment_intents"]) => intents::list(state, p),
        ("GET", ["payment_intents", id]) => intents::retrieve(state, id, p),
        ("POST", ["payment_intents", id, "cancel"]) => intents::cancel(state, id, p),
        ("GET", ["charges"]) => charges::list(state, p),
        ("GET", ["charges", id]) => charges::retrieve(state, id, p),
        ("GET", ["balance_transactions", id]) => charges::retrieve_movement(state, id, p),
        ("POST", ["refunds"]) => refunds::create(state, p),
        ("GET", ["refunds"]) => refunds::list(state, p),
        ("GET", ["refunds", id]) => refunds::retrieve(state, id, p),
        ("GET", ["disputes"]) => disputes::list(state, p),
        ("GET", ["disputes", id]) => disputes::retrieve(state, id, p),
        ("POST", ["disputes", id]) => disputes::update(state, id, p),
        ("POST", ["disputes", id, "close"]) => disputes::accept(state, id, p),
        ("GET", ["radar", "early_fraud_warnings"]) => fraud_warnings::list(state, p),
        ("GET", ["radar", "early_fraud_warnings", id]) => fraud_warnings::retrieve(state, id, p),
        _ => Err(StripeError::no_route(
            method,
            &format!("/v1/{}", path.join("/")),
        )),
    }
}

/// A document that was not deleted; a deleted one leaves a stub.
fn alive(state: &State, kind: &str, id: &str, param: &str) -> Answer {
    let found = state.need(kind, id, param)?;
    if crate::document::Document::flag(&found, "deleted") {
        return Err(StripeError::not_found(kind, id, param));
    }
    Ok(found)
}
