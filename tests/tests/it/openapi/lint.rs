//! What every operation of the document must say.

use eyemotion_testkit::{Contract, Operation};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where an operation has one of these, it may answer these, too.
const WITH_BODY: [u16; 5] = [400, 408, 413, 415, 422];
const WITH_QUERY: [u16; 2] = [400, 422];

#[test]
fn every_operation_is_described_in_full() {
    let contract = Contract::published();
    let mut wrong = tags(&contract.document, &contract.operations);
    let mut ids = BTreeSet::new();
    for operation in &contract.operations {
        let mut faults = faults(operation);
        if !ids.insert(&operation.id) {
            faults.push("operationId is not unique".to_owned());
        }
        let name = format!("{} {}", operation.method, operation.path);
        wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(
        wrong.is_empty(),
        "the document's faults:\n{}",
        wrong.join("\n")
    );
    assert!(contract.operations.len() > 25, "the document was not read");
}

fn tags(document: &Value, operations: &[Operation]) -> Vec<String> {
    let listed = document["tags"].as_array().into_iter().flatten();
    let described = listed.filter(|tag| is_sentence(&tag["description"]));
    let described: BTreeSet<&str> = described.filter_map(|tag| tag["name"].as_str()).collect();
    let used: BTreeSet<&str> = operations
        .iter()
        .filter_map(|operation| operation.spec["tags"][0].as_str())
        .collect();
    let faults = described.symmetric_difference(&used);
    faults
        .map(|tag| format!("tag {tag}: either not described or not used"))
        .collect()
}

fn faults(operation: &Operation) -> Vec<String> {
    let spec = &operation.spec;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    rule(is_camel_case(&operation.id), "operationId is not camelCase");
    rule(
        spec["tags"].as_array().is_some_and(|tags| tags.len() == 1),
        "not one tag",
    );
    rule(
        is_sentence(&spec["summary"]),
        "the summary is not a sentence",
    );
    rule(
        !spec["summary"].as_str().unwrap_or_default().contains('\n'),
        "the summary is not one line",
    );
    rule(
        spec.get("description").is_none_or(is_sentence),
        "the description is not sentences",
    );

    let declares = |statuses: &[u16]| statuses.iter().all(|status| operation.declares(*status));
    let secured = operation.is_secured();
    let (path, query) = (
        operation.parameters_in("path"),
        operation.parameters_in("query"),
    );
    let header = |name: &str| {
        operation
            .parameters_in("header")
            .any(|header| header["name"] == name)
    };
    rule(!secured || declares(&[401]), "no 401");
    rule(
        operation.body().is_none() || declares(&WITH_BODY),
        "a body, but not all its errors",
    );
    rule(
        query.count() == 0 || declares(&WITH_QUERY),
        "query parameters, but not all their errors",
    );
    rule(
        !secured || path.count() == 0 || declares(&[404]),
        "a path parameter, but no 404",
    );
    rule(
        header("If-Match") == declares(&[412]),
        "If-Match and 412 belong together",
    );
    rule(operation.at_root || declares(&[500, 503]), "no 500 and 503");
    let creates = secured && spec["responses"].get("201").is_some();
    rule(
        !creates || header("Idempotency-Key"),
        "it creates, but takes no Idempotency-Key",
    );
    let body = spec.get("requestBody");
    rule(
        body.is_none_or(|body| body["required"] == true),
        "the body is not required",
    );

    faults.extend(parameter_faults(operation));
    faults.extend(response_faults(&spec["responses"]));
    faults
}

fn parameter_faults(operation: &Operation) -> Vec<String> {
    let mut faults = Vec::new();
    let in_path: BTreeSet<&str> = operation
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let declared: BTreeSet<&str> = operation
        .parameters_in("path")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    if in_path != declared {
        faults.push(format!(
            "the path has {in_path:?}, declared are {declared:?}"
        ));
    }
    for parameter in operation.spec["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = &parameter["name"];
        if parameter["description"].as_str().is_none_or(str::is_empty) {
            faults.push(format!("parameter {name} is not described"));
        }
        // There is no null in a URL or a header.
        if parameter["schema"].is_null() || parameter["schema"].to_string().contains("\"null\"") {
            faults.push(format!("parameter {name} has no schema, or one with null"));
        }
    }
    faults
}

fn response_faults(responses: &Value) -> Vec<String> {
    let none = Map::new();
    let responses = responses.as_object().unwrap_or(&none);
    let mut faults = Vec::new();
    if !responses
        .keys()
        .any(|status| status.starts_with(['2', '3']))
    {
        faults.push("no success".to_owned());
    }
    for (status, response) in responses {
        if response["description"].as_str().is_none_or(str::is_empty) {
            faults.push(format!("{status} is not described"));
        }
        let content = response["content"].as_object().unwrap_or(&none);
        if status.starts_with(['4', '5']) {
            let problem = "#/components/schemas/Problem";
            let only = content
                .get("application/problem+json")
                .filter(|_| content.len() == 1);
            if only.is_none_or(|media| media["schema"]["$ref"] != problem) {
                faults.push(format!(
                    "{status} is not application/problem+json with Problem"
                ));
            }
        } else if let Some((media, _)) = content
            .iter()
            .find(|(_, media)| media["schema"]["$ref"].is_null())
        {
            faults.push(format!("{status}: {media} has no named schema"));
        }
    }
    let headers = |status: &str| responses.get(status).map(|response| &response["headers"]);
    if headers("401").is_some_and(|headers| headers["WWW-Authenticate"].is_null()) {
        faults.push("401 without WWW-Authenticate".to_owned());
    }
    faults
}

fn is_sentence(text: &Value) -> bool {
    text.as_str().is_some_and(|text| {
        text.starts_with(|first: char| first.is_uppercase()) && text.trim_end().ends_with('.')
    })
}

pub(super) fn is_camel_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// Faults to be made in the published document: in which operation, where, how, and what is said.
fn mutations() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    vec![
        ("getMe", "/operationId", json!("get_me"), "camelCase"),
        ("getMe", "/tags", json!([]), "one tag"),
        (
            "getMe",
            "/summary",
            json!("Returns the account"),
            "sentence",
        ),
        (
            "getMe",
            "/summary",
            json!("Returns the\naccount."),
            "one line",
        ),
        ("getMe", "/description", json!(""), "sentences"),
        ("getMe", "/responses/401", json!(null), "no 401"),
        ("getMe", "/responses/200", json!(null), "no success"),
        ("getMe", "/responses/503", json!(null), "500 and 503"),
        (
            "getMe",
            "/responses/401/headers",
            json!(null),
            "WWW-Authenticate",
        ),
        ("getMe", "/responses/500/content", json!(null), "500 is not"),
        (
            "getMe",
            "/responses/200/description",
            json!(""),
            "200 is not described",
        ),
        (
            "getMe",
            "/responses/200/content/application~1json/schema",
            json!(null),
            "named schema",
        ),
        ("getFile", "/responses/404", json!(null), "no 404"),
        ("getFile", "/parameters", json!([]), "the path has"),
        (
            "getFile",
            "/parameters/0/description",
            json!(""),
            "not described",
        ),
        ("getFile", "/parameters/0/schema", json!(null), "no schema"),
        ("updateFile", "/responses/412", json!(null), "If-Match"),
        ("createProject", "/responses/413", json!(null), "a body"),
        ("createProject", "/parameters", json!([]), "Idempotency-Key"),
        (
            "createProject",
            "/requestBody/required",
            json!(false),
            "not required",
        ),
        (
            "listProjects",
            "/responses/400",
            json!(null),
            "query parameters",
        ),
    ]
}

#[test]
fn the_lint_sees_what_it_should() {
    for (id, at, value, expected) in mutations() {
        let operations = &Contract::published().operations;
        let whole = operations
            .iter()
            .find(|operation| operation.id == id)
            .unwrap();
        let mut spec = whole.spec.clone();
        let (parent, member) = at.rsplit_once('/').unwrap();
        let parent = spec.pointer_mut(parent).unwrap();
        if value.is_null() {
            parent.as_object_mut().unwrap().remove(member).unwrap();
        } else {
            parent[member] = value;
        }
        let seen = faults(&Operation {
            id: spec["operationId"].as_str().unwrap().to_owned(),
            method: whole.method.clone(),
            path: whole.path.clone(),
            at_root: whole.at_root,
            spec,
        });
        let seen = seen.join("; ");
        assert!(seen.contains(expected), "{id} {at}: {seen:?}");
    }
}
