//! Closes the schemas of answers: in tests a member that the document does not name is a leak.

use serde_json::{Map, Value, json};

/// The document with every object that lists its members closed to others, unless it says itself
/// what more there may be.
pub(super) fn closed(document: &Value) -> Value {
    let none = Map::new();
    let schemas = document["components"]["schemas"]
        .as_object()
        .unwrap_or(&none);
    let mut closed = document.clone();
    for (name, schema) in schemas {
        closed["components"]["schemas"][name] = close(schema, schemas, true);
    }
    closed
}

/// `whole`: the object is not a part of an `allOf`, which knows of all the parts' members.
fn close(schema: &Value, schemas: &Map<String, Value>, whole: bool) -> Value {
    let mut closed = match schema {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), close(value, schemas, true)))
                .collect(),
        ),
        Value::Array(items) => {
            return Value::Array(
                items
                    .iter()
                    .map(|item| close(item, schemas, true))
                    .collect(),
            );
        }
        other => return other.clone(),
    };
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let parts: Vec<Value> = parts
            .iter()
            .map(|part| {
                let name = part["$ref"]
                    .as_str()
                    .and_then(|text| text.rsplit('/').next());
                close(
                    name.and_then(|name| schemas.get(name)).unwrap_or(part),
                    schemas,
                    false,
                )
            })
            .collect();
        closed["allOf"] = Value::Array(parts);
        closed["unevaluatedProperties"] = json!(false);
    } else if whole
        && schema["properties"].is_object()
        && schema.get("additionalProperties").is_none()
    {
        closed["additionalProperties"] = json!(false);
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_open_and_wholes_are_closed() {
        let document = json!({ "components": { "schemas": {
            "Inner": { "type": "object", "properties": { "a": { "type": "string" } } },
            "Open": { "type": "object", "properties": {}, "additionalProperties": true },
            "Both": { "allOf": [
                { "$ref": "#/components/schemas/Inner" },
                { "type": "object", "properties": { "b": { "type": "string" } } },
            ] },
        } } });
        let closed = closed(&document);
        let schemas = &closed["components"]["schemas"];
        assert_eq!(schemas["Inner"]["additionalProperties"], false);
        assert_eq!(schemas["Open"]["additionalProperties"], true);
        let mut whole = closed.clone();
        whole["$ref"] = json!("#/components/schemas/Both");
        let valid = |instance: Value| jsonschema::is_valid(&whole, &instance);
        assert!(valid(json!({ "a": "1", "b": "2" })));
        assert!(!valid(json!({ "a": "1", "b": "2", "c": "3" })));
    }
}
