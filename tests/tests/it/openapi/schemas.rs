//! What every schema of the document must say.

use super::lint::is_camel_case;
use eyemotion_testkit::Contract;
use serde_json::{Map, Value, json};

/// The largest integer that a JavaScript number holds exactly: both TypeScript generators map
/// int64 to `number`.
const MAX_SAFE: i64 = 9_007_199_254_740_991;

#[test]
fn every_schema_is_named_bounded_and_used() {
    let wrong = faults(&Contract::published().document);
    assert!(
        wrong.is_empty(),
        "the document's faults:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_problem_is_described_in_full() {
    let document = &Contract::published().document;
    let problem = &document["components"]["schemas"]["Problem"];
    let mut required: Vec<&str> = problem["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    required.sort_unstable();
    let always = [
        "code",
        "detail",
        "error",
        "requestId",
        "status",
        "title",
        "type",
    ];
    assert_eq!(required, always);
    assert_eq!(
        problem["properties"]["errors"]["items"]["$ref"],
        "#/components/schemas/ProblemField"
    );
    assert!(
        problem["additionalProperties"].is_object(),
        "a code may bring members of its own"
    );
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"]
        .as_array()
        .unwrap();
    assert!(
        codes.contains(&json!("project_not_found")) && codes.len() > 30,
        "{codes:?}"
    );
}

fn faults(document: &Value) -> Vec<String> {
    let none = Map::new();
    let schemas = document["components"]["schemas"]
        .as_object()
        .unwrap_or(&none);
    let mut faults = Vec::new();
    for (name, schema) in schemas {
        let pascal = name.starts_with(|first: char| first.is_ascii_uppercase());
        if !pascal || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            faults.push(format!("{name} is not PascalCase"));
        }
        let object = schema.get("properties").is_some() || schema.get("allOf").is_some();
        if object && schema["description"].as_str().is_none_or(str::is_empty) {
            faults.push(format!("{name} is not described"));
        }
        if name.ends_with("Body") && schema["additionalProperties"] != false {
            faults.push(format!("{name} takes members that it does not name"));
        }
        // An allOf's own part has no name of its own.
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in parts.filter(|part| part.get("properties").is_some()) {
            inside(part, name, &mut faults);
        }
        let mut schema = schema.clone();
        if let Some(members) = schema.as_object_mut() {
            members.remove("allOf");
        }
        inside(&schema, name, &mut faults);
    }
    anonymous(&document["paths"], "paths", &mut faults);

    let text = document.to_string();
    for name in schemas.keys() {
        if !text.contains(&format!("\"#/components/schemas/{name}\"")) {
            faults.push(format!("{name} is not used"));
        }
    }
    for reference in text
        .split("\"$ref\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        if document
            .pointer(reference.trim_start_matches('#'))
            .is_none()
        {
            faults.push(format!("{reference} leads nowhere"));
        }
    }
    faults
}

/// A named object's members; deeper down, objects have names of their own.
fn inside(schema: &Value, at: &str, faults: &mut Vec<String>) {
    for name in schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
    {
        if !is_camel_case(name) {
            faults.push(format!("{at}.{name} is not camelCase"));
        }
    }
    let mut rest = schema.clone();
    if let Some(members) = rest.as_object_mut() {
        let properties = members.remove("properties").unwrap_or_default();
        for (name, member) in properties.as_object().into_iter().flatten() {
            anonymous(member, &format!("{at}.{name}"), faults);
        }
    }
    anonymous(&rest, at, faults);
}

/// What holds anywhere: no object without a name, no integer that a client cannot hold.
fn anonymous(schema: &Value, at: &str, faults: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                faults.push(format!("{at}: an object without a name"));
            }
            let maximum = members.get("maximum").and_then(Value::as_i64);
            let int64 = members.get("format") == Some(&json!("int64"));
            if int64 && maximum.is_none_or(|maximum| maximum > MAX_SAFE) {
                faults.push(format!(
                    "{at}: int64 without `maximum` of at most {MAX_SAFE}"
                ));
            }
            for (name, member) in members {
                anonymous(member, &format!("{at}/{name}"), faults);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| anonymous(item, at, faults)),
        _ => {}
    }
}

#[test]
fn the_lint_sees_what_it_should() {
    let object = |members: Value| json!({ "type": "object", "description": "A thing.", "properties": members });
    for (name, schema, expected) in [
        ("thing", object(json!({})), "PascalCase"),
        (
            "Thing",
            json!({ "type": "object", "properties": {} }),
            "not described",
        ),
        ("ThingBody", object(json!({})), "does not name"),
        (
            "Thing",
            object(json!({ "full_name": { "type": "string" } })),
            "camelCase",
        ),
        (
            "Thing",
            object(json!({ "size": { "type": "integer", "format": "int64" } })),
            "int64",
        ),
        (
            "Thing",
            object(json!({ "inner": { "type": "object", "properties": {} } })),
            "without a name",
        ),
        (
            "Thing",
            object(json!({ "inner": { "$ref": "#/components/schemas/Gone" } })),
            "leads nowhere",
        ),
        ("Thing", object(json!({})), "not used"),
    ] {
        let seen = faults(&json!({ "components": { "schemas": { name: schema } } })).join("; ");
        assert!(seen.contains(expected), "{expected}: {seen}");
    }
    let inline = json!({ "/a": { "get": { "schema": { "properties": { "a": {} } } } } });
    assert!(!faults(&json!({ "paths": inline })).is_empty());
}
