//! <https://docs.stripe.com/api/events>. Events are kept for thirty days.

use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::list::{PAGING, page};
use crate::params::Params;
use crate::state::State;

const KEPT: i64 = 30 * 86_400;

pub fn list(state: &State, p: &Params) -> Answer {
    p.only(
        &[
            PAGING.as_slice(),
            &[
                "created",
                "created.*",
                "type",
                "types.*",
                "delivery_success",
            ],
        ]
        .concat(),
    )?;
    let types = p.texts("types");
    if types.len() > 20 {
        return Err(StripeError::invalid("You may pass at most 20 types.").param("types"));
    }
    let one = p.filled("type").map(str::to_owned);
    let asked = |kind: &str, name: &str| match kind.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => kind == name,
    };
    page(state, "event", "/v1/events", p, |it| {
        it.number("created") > state.now - KEPT
            && one.as_ref().is_none_or(|kind| asked(kind, it.text("type")))
            && (types.is_empty() || types.iter().any(|kind| asked(kind, it.text("type"))))
    })
}

pub fn retrieve(state: &State, id: &str, p: &Params) -> Answer {
    p.only(&[])?;
    let event = state.need("event", id, "id")?;
    if event.number("created") > state.now - KEPT {
        Ok(event)
    } else {
        Err(StripeError::not_found("event", id, "id"))
    }
}
