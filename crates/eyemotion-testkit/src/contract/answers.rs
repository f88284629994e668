//! Whether an answer is one that the document promises.

use super::closing::closed;
use super::{Contract, Operation};
use crate::Answer;
use jsonschema::{Draft, Registry, RegistryBuilder, Validator};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const URI: &str = "urn:eyemotion:document";

/// Schemas of answers, each compiled when an answer first needs it.
pub(super) struct Answers {
    registry: Registry<'static>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Answers {
    pub(super) fn new(document: &Value) -> Self {
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(URI, closed(document));
        let registry = registry.and_then(RegistryBuilder::prepare);
        let registry = registry.expect("the document's schemas lead somewhere");
        Self {
            registry,
            compiled: Mutex::default(),
        }
    }

    /// The schema at this JSON pointer into the document.
    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let made = compiled.entry(pointer.to_owned()).or_insert_with(|| {
            let schema = json!({ "$ref": format!("{URI}#{pointer}") });
            let options = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&self.registry)
                .should_validate_formats(true);
            Arc::new(
                options
                    .build(&schema)
                    .unwrap_or_else(|error| panic!("{pointer}: {error}")),
            )
        });
        Arc::clone(made)
    }
}

impl Contract {
    /// Checks that the document promises this answer to this request. What matches no operation
    /// has no promise to keep.
    ///
    /// # Panics
    /// If it does not.
    pub fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let Some(operation) = self.find(method, path) else {
            return;
        };
        if let Err(fault) = self.fault(operation, method, answer) {
            let text = String::from_utf8_lossy(&answer.bytes);
            let body: String = text.chars().take(2000).collect();
            panic!(
                "{method} {path} answered {}, which the document does not promise of {}: {fault}\n{body}",
                answer.status, operation.id
            );
        }
    }

    fn fault(&self, operation: &Operation, method: &Method, answer: &Answer) -> Result<(), String> {
        let responses = operation.spec["responses"]
            .as_object()
            .ok_or("no responses")?;
        let status = answer.status.to_string();
        let response = responses.get(&status).ok_or("the status is not declared")?;
        let needed = match answer.status {
            401 => &["www-authenticate", "x-request-id"][..],
            _ => &["x-request-id"][..],
        };
        if let Some(missing) = needed
            .iter()
            .find(|name| !answer.headers.contains_key(**name))
        {
            return Err(format!("no {missing} header"));
        }
        // Neither carries a body (RFC 9110 sections 9.3.2 and 15.4.5).
        if method == Method::HEAD || answer.status == 304 {
            return Ok(());
        }
        let Some(content) = response["content"].as_object() else {
            let empty = answer.bytes.is_empty();
            return if empty {
                Ok(())
            } else {
                Err("no body is declared".to_owned())
            };
        };
        let media = answer.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        let declared = [media, "*/*"]
            .into_iter()
            .find(|declared| content.contains_key(*declared));
        let declared = declared.ok_or_else(|| format!("{media:?} is not a declared type"))?;
        if declared == "*/*" || content[declared].get("schema").is_none() {
            return Ok(());
        }
        let bodies = match media {
            // The document describes what stands in each event's data.
            "text/event-stream" => events(&answer.bytes)?,
            media if media == "application/json" || media.ends_with("+json") => {
                vec![serde_json::from_slice(&answer.bytes).map_err(|error| error.to_string())?]
            }
            _ => return Ok(()),
        };
        let validator = self
            .answers
            .validator(&pointer(operation, &status, declared));
        for body in &bodies {
            let faults: Vec<String> = validator
                .iter_errors(body)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            if !faults.is_empty() {
                return Err(faults.join("\n"));
            }
        }
        Ok(())
    }
}

/// Where the schema stands: most are components, which many operations share.
fn pointer(operation: &Operation, status: &str, media: &str) -> String {
    let schema = &operation.spec["responses"][status]["content"][media]["schema"];
    if let Some(component) = schema["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix('#'))
    {
        return component.to_owned();
    }
    let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let (path, media) = (escaped(&operation.path), escaped(media));
    let method = operation.method.as_str().to_lowercase();
    format!("/paths/{path}/{method}/responses/{status}/content/{media}/schema")
}

fn events(stream: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(stream).map_err(|error| error.to_string())?;
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.map(|data| serde_json::from_str(data).map_err(|error| error.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

    fn answer(status: u16, media: &'static str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert("x-request-id", HeaderValue::from_static("12345678"));
        let bytes = bytes::Bytes::copy_from_slice(body.as_bytes());
        Answer {
            status,
            headers,
            body: Value::Null,
            bytes,
        }
    }

    fn fault(status: u16, media: &'static str, body: &str) -> Option<String> {
        let contract = Contract::published();
        let operation = contract.find(&Method::GET, "/livez").expect("the probe");
        contract
            .fault(operation, &Method::GET, &answer(status, media, body))
            .err()
    }

    #[test]
    fn what_is_promised_passes() {
        let body = r#"{"success":true,"message":"alive"}"#;
        assert_eq!(fault(200, "application/json", body), None);
        assert_eq!(fault(200, "application/json; charset=utf-8", body), None);
    }

    #[test]
    fn every_sort_of_broken_promise_is_seen() {
        let json = "application/json";
        for (status, media, body, expected) in [
            (
                202,
                json,
                r#"{"success":true,"message":"alive"}"#,
                "not declared",
            ),
            (
                200,
                "text/html",
                r#"{"success":true,"message":"alive"}"#,
                "declared type",
            ),
            (200, json, "alive", "expected value"),
            (200, json, r#"{"success":true}"#, "message"),
            (
                200,
                json,
                r#"{"success":false,"message":"alive"}"#,
                "/success",
            ),
            (200, json, r#"{"success":true,"message":5}"#, "/message"),
            (
                200,
                json,
                r#"{"success":true,"message":"alive","token":"x"}"#,
                "token",
            ),
        ] {
            let fault = fault(status, media, body).unwrap_or_default();
            assert!(fault.contains(expected), "{status} {media} {body}: {fault}");
        }
    }
}
