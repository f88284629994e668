//! Values that a schema takes.

use eyemotion_testkit::{Contract, Operation};
use serde_json::{Map, Value, json};

/// A value of this schema: objects with their required members only.
pub(crate) fn sample(schema: &Value) -> Value {
    let contract = Contract::published();
    let schema = contract.resolve(schema);
    if let Some(given) = schema.get("example").or_else(|| schema.get("default")) {
        return given.clone();
    }
    if let Some(first) = schema["enum"].get(0).or_else(|| schema["examples"].get(0)) {
        return first.clone();
    }
    if let Some(first) = schema["oneOf"].get(0) {
        return sample(first);
    }
    match kind(schema) {
        "boolean" => json!(true),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "array" => json!([]),
        "object" => Value::Object(required(schema)),
        _ => json!(text(schema)),
    }
}

/// Where the operation is found, with a value in each parameter of the path: ids that nothing has.
pub(crate) fn url(operation: &Operation) -> String {
    operation.url(|name| {
        let parameter = operation
            .parameters_in("path")
            .find(|parameter| parameter["name"] == name)
            .unwrap();
        sample(&parameter["schema"]).as_str().unwrap().to_owned()
    })
}

fn required(schema: &Value) -> Map<String, Value> {
    let names = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    names
        .map(|name| (name.to_owned(), sample(&schema["properties"][name])))
        .collect()
}

fn text(schema: &Value) -> String {
    let shortest = schema["minLength"].as_u64().unwrap_or(1);
    match schema["format"].as_str() {
        Some("uuid") => super::unknown_id(),
        Some("date-time") => "2026-01-31T00:00:00.000Z".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        _ => "a".repeat(usize::try_from(shortest).unwrap()),
    }
}

/// The type, or the one beside null.
pub(super) fn kind(schema: &Value) -> &str {
    let mut kinds = schema["type"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    schema["type"]
        .as_str()
        .or_else(|| kinds.rfind(|kind| *kind != "null"))
        .unwrap_or("")
}

/// The body with each string in turn made `text`: with where it stands. Objects whose members are
/// the client's own get one.
pub(super) fn with_text(schema: &Value, text: &str) -> Vec<(String, Value)> {
    let contract = Contract::published();
    let schema = contract.resolve(schema);
    if let Some(first) = schema["oneOf"].get(0) {
        return with_text(first, text);
    }
    match kind(schema) {
        "string" => vec![(String::new(), json!(text))],
        "array" => with_text(&schema["items"], text)
            .into_iter()
            .map(|(at, item)| (format!("/0{at}"), json!([item])))
            .collect(),
        "object" if schema["properties"].is_object() => {
            let base = required(schema);
            let members = schema["properties"].as_object().into_iter().flatten();
            let each = members.flat_map(|(name, member)| {
                let base = base.clone();
                with_text(member, text).into_iter().map(move |(at, value)| {
                    let mut body = base.clone();
                    body.insert(name.clone(), value);
                    (format!("/{name}{at}"), Value::Object(body))
                })
            });
            each.collect()
        }
        "object" => vec![("/any".to_owned(), json!({ "any": text }))],
        _ => Vec::new(),
    }
}
