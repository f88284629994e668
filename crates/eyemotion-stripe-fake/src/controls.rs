//! `/_fake/...`: what the library offers, for drives in other languages. Parameters are a form's.

use crate::card::Card;
use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::resources::{actions, due};
use crate::server::{Shared, form};
use serde_json::{Value, json};

/// Answers a control with a status and what it tells.
pub fn answer(shared: &Shared, control: &str, query: &str, body: &[u8]) -> (u16, Value) {
    let params = Params::parse(&form(query, body));
    match carry_out(shared, control, &params) {
        Ok(told) => (200, told),
        Err(error) => (error.status, error.body("req_fake")),
    }
}

fn carry_out(shared: &Shared, control: &str, p: &Params) -> Answer {
    let mut world = shared.lock();
    let card = || -> Result<Card, StripeError> {
        let named = p.filled("card").unwrap_or("visa");
        Card::named(named).ok_or_else(|| StripeError::invalid("No such card").param("card"))
    };
    let ok = p.flag("ok")?.unwrap_or(true);
    let nothing = |()| json!({});
    match control {
        "secrets" => Ok(json!({
            "secret_key": world.secret_key, "webhook_secret": world.webhook_secret, "now": world.state.now,
        })),
        "advance" => {
            let until = world.state.now + p.need_int("seconds")?;
            due::advance(&mut world.state, until);
            Ok(json!({ "now": world.state.now }))
        }
        "complete_checkout" => {
            let code = p.filled("promotion_code");
            actions::complete(&mut world.state, p.need("session")?, card()?, code)
        }
        "settle_async_payment" => {
            actions::settle(&mut world.state, p.need("session")?, ok).map(nothing)
        }
        "authenticate" => {
            actions::authenticated(&mut world.state, p.need("payment_intent")?, ok).map(nothing)
        }
        "refund" => actions::refund(&mut world.state, p.need("charge")?, p.int("amount")?),
        "fail_refund" => actions::fail_refund(&mut world.state, p.need("refund")?).map(nothing),
        "dispute" => actions::dispute(&mut world.state, p.need("charge")?, p.int("amount")?),
        "close_dispute" => {
            let won = p.flag("won")?.unwrap_or(false);
            actions::close_dispute(&mut world.state, p.need("dispute")?, won)
        }
        "early_fraud_warning" => actions::early_fraud_warning(&mut world.state, p.need("charge")?),
        "set_card" => {
            let customer = p.need("customer")?.to_owned();
            world.state.cards.insert(customer, card()?);
            Ok(json!({}))
        }
        "down" => {
            world.down = p.flag("down")?.unwrap_or(true);
            Ok(json!({}))
        }
        "sign" => {
            let t = p.int("t")?.unwrap_or(world.state.now);
            let body = p.need("body")?;
            let header = crate::signature_header(body.as_bytes(), &world.webhook_secret, t);
            Ok(json!({ "header": header }))
        }
        "counts" => Ok(json!(world.counts())),
        "answers" => {
            let told = world.answers.iter().flatten().map(|(method, path, status, body)| {
                json!({ "method": method, "path": path, "status": status, "body": body })
            });
            Ok(Value::Array(told.collect()))
        }
        "events" => {
            let kinds = world
                .state
                .all("event")
                .map(|it| it.text("type").to_owned());
            Ok(Value::from(kinds.collect::<Vec<_>>()))
        }
        _ => Err(StripeError::no_route("POST", control)),
    }
}
