//! Cursor lists, newest first: <https://docs.stripe.com/api/pagination>.

use crate::document::Document;
use crate::error::{Answer, StripeError};
use crate::params::Params;
use crate::state::State;
use serde_json::{Value, json};

/// The parameters that every list has.
pub const PAGING: [&str; 3] = ["limit", "starting_after", "ending_before"];

/// A page of the documents of a kind that pass.
pub fn page(
    state: &State,
    kind: &str,
    url: &str,
    params: &Params,
    passes: impl Fn(&Value) -> bool,
) -> Answer {
    let created = params.child("created").unwrap_or_default();
    let exactly = params.int("created")?;
    let (gte, gt) = (created.int("gte")?, created.int("gt")?);
    let (lte, lt) = (created.int("lte")?, created.int("lt")?);
    let in_time = |document: &Value| {
        let at = document.number("created");
        exactly.is_none_or(|it| at == it)
            && gte.is_none_or(|it| at >= it)
            && gt.is_none_or(|it| at > it)
            && lte.is_none_or(|it| at <= it)
            && lt.is_none_or(|it| at < it)
    };
    let newest_first: Vec<Value> = state
        .all(kind)
        .rev()
        .filter(|document| in_time(document) && passes(document))
        .cloned()
        .collect();
    cut(&newest_first, url, params)
}

/// The page of a list that the parameters ask for.
pub fn cut(documents: &[Value], url: &str, params: &Params) -> Answer {
    let limit = params.int("limit")?.unwrap_or(10);
    let limit = usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=100).contains(limit))
        .ok_or_else(|| {
            StripeError::invalid("This value must be between 1 and 100 (inclusive).").param("limit")
        })?;
    let place = |param: &str| -> Result<Option<usize>, StripeError> {
        let Some(id) = params.filled(param) else {
            return Ok(None);
        };
        documents
            .iter()
            .position(|document| document.id() == id)
            .map(Some)
            .ok_or_else(|| StripeError::not_found("object", id, param))
    };
    let (after, before) = (place("starting_after")?, place("ending_before")?);
    let (data, has_more) = match (after, before) {
        (_, Some(before)) => {
            let from = before.saturating_sub(limit);
            (documents.get(from..before), from > 0)
        }
        (after, None) => {
            let from = after.map_or(0, |after| after + 1);
            let to = documents.len().min(from + limit);
            (documents.get(from..to), to < documents.len())
        }
    };
    Ok(json!({
        "object": "list",
        "url": url,
        "has_more": has_more,
        "data": data.unwrap_or_default(),
    }))
}

/// A short list inside another document.
pub fn inline(data: Vec<Value>, url: &str) -> Value {
    let mut list = json!({ "object": "list", "url": url, "has_more": false });
    list["data"] = data.into();
    list
}
