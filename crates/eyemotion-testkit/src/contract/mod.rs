//! The published OpenAPI document as tests read it: its operations, and what they may answer.

mod answers;
mod closing;

use reqwest::Method;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// Where clients call: the document's paths stand below each of these.
const PREFIXES: [&str; 3] = [
    "/api/v1",
    "/make-server-7dc8476e",
    "/functions/v1/make-server-7dc8476e",
];

/// The published document and its operations.
pub struct Contract {
    /// The document as it is served.
    pub document: Value,
    /// Its operations, in the order of their paths.
    pub operations: Vec<Operation>,
    answers: answers::Answers,
}

/// One operation of the document.
pub struct Operation {
    /// `operationId`.
    pub id: String,
    /// The method.
    pub method: Method,
    /// The path with its `{parameters}`, below the prefix or at the root.
    pub path: String,
    /// Whether it stands at the root, not below `/api/v1`.
    pub at_root: bool,
    /// The operation object.
    pub spec: Value,
}

impl Contract {
    /// The document's text as it is published.
    pub fn text() -> String {
        gateway::openapi::document_text()
    }

    /// Reads it the first time it is asked for.
    ///
    /// # Panics
    /// If the document is not one.
    pub fn published() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let document: Value =
                serde_json::from_str(&Self::text()).expect("the document is JSON");
            let operations = operations(&document);
            let answers = answers::Answers::new(&document);
            Self {
                document,
                operations,
                answers,
            }
        })
    }

    /// The operation that answers this request; a path without parameters goes before one with.
    pub fn find(&self, method: &Method, path: &str) -> Option<&Operation> {
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let below = PREFIXES.iter().find_map(|prefix| {
            path.strip_prefix(prefix)
                .filter(|rest| rest.starts_with('/'))
        });
        self.operations
            .iter()
            .filter(|operation| operation.method == *wanted)
            .filter(|operation| match below {
                Some(rest) => !operation.at_root && operation.matches(rest),
                None => operation.at_root && operation.matches(path),
            })
            .min_by_key(|operation| operation.parameters_in("path").count())
    }

    /// Follows a `$ref` into the document.
    ///
    /// # Panics
    /// If it leads nowhere.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return schema;
        };
        let target = reference
            .strip_prefix('#')
            .and_then(|path| self.document.pointer(path));
        self.resolve(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
    }
}

impl Operation {
    /// Whether it needs somebody signed in.
    pub fn is_secured(&self) -> bool {
        self.spec["security"]
            .as_array()
            .is_some_and(|ways| !ways.is_empty())
    }

    /// Whether it declares this status.
    pub fn declares(&self, status: u16) -> bool {
        self.spec["responses"].get(status.to_string()).is_some()
    }

    /// Its parameters in the path, the query or a header.
    pub fn parameters_in(&self, place: &str) -> impl Iterator<Item = &Value> {
        let parameters = self.spec["parameters"].as_array().into_iter().flatten();
        parameters.filter(move |parameter| parameter["in"] == place)
    }

    /// The schema of its JSON body.
    pub fn body(&self) -> Option<&Value> {
        self.spec["requestBody"]["content"]
            .get("application/json")?
            .get("schema")
    }

    /// Where [`crate::Client`] finds it, each path parameter filled in by name.
    pub fn url(&self, mut value: impl FnMut(&str) -> String) -> String {
        let mut url = String::from(if self.at_root { "/" } else { "" });
        for segment in self.path.split('/').skip(1) {
            url.push('/');
            match parameter(segment) {
                Some(name) => url.push_str(&value(name)),
                None => url.push_str(segment),
            }
        }
        url
    }

    fn matches(&self, path: &str) -> bool {
        let (ours, theirs) = (self.path.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours
                .zip(theirs)
                .all(|(a, b)| a == b || (parameter(a).is_some() && !b.is_empty()))
    }
}

/// The name in `{name}`.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn operations(document: &Value) -> Vec<Operation> {
    let none = Map::new();
    let paths = document["paths"].as_object().unwrap_or(&none);
    let methods = ["get", "post", "put", "patch", "delete"];
    let all = paths.iter().flat_map(|(path, item)| {
        let there = methods
            .into_iter()
            .filter_map(move |method| Some((method, item.get(method)?)));
        there.map(move |(method, spec)| Operation {
            id: spec["operationId"].as_str().unwrap_or_default().to_owned(),
            method: Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method"),
            path: path.clone(),
            at_root: item.get("servers").is_some(),
            spec: spec.clone(),
        })
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_finds_its_operation() {
        let contract = Contract::published();
        let find = |method, path| contract.find(&method, path).map(|found| found.id.as_str());
        assert_eq!(
            find(Method::POST, "/api/v1/files/upload-url"),
            Some("createUploadUrl")
        );
        assert_eq!(find(Method::GET, "/api/v1/files/0"), Some("getFile"));
        assert_eq!(find(Method::HEAD, "/api/v1/files/0"), Some("getFile"));
        assert_eq!(
            find(Method::GET, "/make-server-7dc8476e/auth/me"),
            Some("getMe")
        );
        assert_eq!(
            find(Method::GET, "/functions/v1/make-server-7dc8476e/auth/me"),
            Some("getMe")
        );
        assert_eq!(find(Method::GET, "/livez"), Some("getLiveness"));
        for (method, path) in [
            (Method::GET, "/api/v1/livez"),
            (Method::GET, "/auth/me"),
            (Method::PATCH, "/api/v1/auth/me"),
            (Method::GET, "/api/v1/files/"),
            (Method::GET, "/api/v1/files/0/1/2"),
            (Method::GET, "/api/v1x/auth/me"),
        ] {
            assert_eq!(find(method, path), None, "{path}");
        }
    }
}
