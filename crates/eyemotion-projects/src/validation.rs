//! What a project's members may be.

use crate::error::ProjectError;
use crate::service::{NewProject, ProjectUpdate};
use eyemotion_core::FieldError;
use serde_json::{Map, Value};

/// Bytes of one settings object as JSON, `projects_settings_check`.
const MAX_SETTINGS: usize = 65536;

/// Collects every fault, so that a client learns of all at once.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, pointer: &str, code: &'static str, detail: &str) {
        self.0.push(FieldError::new(pointer, code, detail));
    }

    pub(crate) fn into_result(self) -> Result<(), ProjectError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ProjectError::Invalid(self.0))
        }
    }

    fn name(&mut self, name: &mut String) {
        *name = name.trim().to_owned();
        if name.is_empty() {
            self.add("/name", "required", "must not be empty");
        } else if name.chars().count() > 200 {
            self.add("/name", "too_long", "must have at most 200 characters");
        }
        if name.contains(char::is_control) {
            self.add(
                "/name",
                "invalid_character",
                "must not contain control characters",
            );
        }
    }

    fn description(&mut self, description: &str) {
        if description.chars().count() > 10_000 {
            self.add(
                "/description",
                "too_long",
                "must have at most 10000 characters",
            );
        }
        if description.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let detail = "must not contain control characters but tabs and line breaks";
            self.add("/description", "invalid_character", detail);
        }
    }

    fn thumbnail_url(&mut self, url: &str) {
        let address = url.split_once("://").filter(|(scheme, rest)| {
            let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            web && !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':'])
        });
        if address.is_none() || url.contains(|c: char| c.is_control() || c.is_whitespace()) {
            let detail = "must be an address that starts with https:// or http://";
            self.add("/thumbnailUrl", "invalid", detail);
        } else if url.chars().count() > 2048 {
            self.add(
                "/thumbnailUrl",
                "too_long",
                "must have at most 2048 characters",
            );
        }
    }

    /// Checks an object as it is to be stored.
    pub(crate) fn settings(&mut self, pointer: &str, settings: &Map<String, Value>) {
        if has_nul(settings) {
            let detail = "must not contain the NUL character";
            self.add(pointer, "invalid_character", detail);
        }
        let bytes = serde_json::to_vec(settings).map_or(usize::MAX, |bytes| bytes.len());
        if bytes > MAX_SETTINGS {
            self.0.push(too_large(pointer));
        }
    }
}

/// Trims and checks a new project.
pub(crate) fn check_new(new: &mut NewProject) -> Result<(), ProjectError> {
    let mut faults = Faults::default();
    faults.name(&mut new.name);
    if let Some(description) = &new.description {
        faults.description(description);
    }
    if let Some(settings) = &new.settings {
        faults.settings("/settings", settings);
    }
    if let Some(url) = &new.thumbnail_url {
        faults.thumbnail_url(url);
    }
    faults.into_result()
}

/// Trims and checks a change, all but its settings: these are checked as merged.
pub(crate) fn check_update(update: &mut ProjectUpdate) -> Result<(), ProjectError> {
    let mut faults = Faults::default();
    if let Some(name) = &mut update.name {
        faults.name(name);
    }
    if let Some(description) = &update.description {
        faults.description(description);
    }
    if let Some(Some(url)) = &update.thumbnail_url {
        faults.thumbnail_url(url);
    }
    faults.into_result()
}

/// An object over its size limit.
pub(crate) fn too_large(pointer: &str) -> FieldError {
    FieldError::new(pointer, "too_long", "must have at most 65536 bytes as JSON")
}

/// PostgreSQL's text, in jsonb too, cannot hold U+0000.
fn has_nul(members: &Map<String, Value>) -> bool {
    fn in_value(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(in_value),
            Value::Object(members) => has_nul(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    members
        .iter()
        .any(|(key, value)| key.contains('\0') || in_value(value))
}

/// Merges `patch` into `target` as RFC 7396 section 2 says: a null removes its member.
pub(crate) fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.remove(&key);
            }
            Value::Object(patch) => {
                let member = target.entry(key).or_insert(Value::Null);
                if !member.is_object() {
                    *member = Value::Object(Map::new());
                }
                if let Value::Object(member) = member {
                    merge(member, patch);
                }
            }
            value => {
                target.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else {
            panic!("{value} is no object")
        };
        members
    }

    fn pointers(result: Result<(), ProjectError>) -> Vec<String> {
        match result {
            Ok(()) => Vec::new(),
            Err(ProjectError::Invalid(fields)) => fields
                .into_iter()
                .map(|field| format!("{} {}", field.pointer, field.code))
                .collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[rstest]
    #[case("a", &[])]
    #[case(&"ก".repeat(200), &[])]
    #[case(" \t ", &["/name required"])]
    #[case(&"a".repeat(201), &["/name too_long"])]
    #[case(&"a".repeat(1 << 20), &["/name too_long"])]
    #[case("a\0b", &["/name invalid_character"])]
    #[case("a\nb", &["/name invalid_character"])]
    fn names(#[case] name: &str, #[case] expected: &[&str]) {
        let mut new = NewProject {
            name: name.to_owned(),
            ..NewProject::default()
        };
        assert_eq!(pointers(check_new(&mut new)), expected);
    }

    #[rstest]
    #[case("https://cdn.example.com/a.jpg", true)]
    #[case("HTTP://x/y", true)]
    #[case("javascript:alert(1)", false)]
    #[case("ftp://example.com/a", false)]
    #[case("https://", false)]
    #[case("https:///a", false)]
    #[case("https://a b", false)]
    #[case("/relative", false)]
    #[case(&format!("https://a/{}", "x".repeat(2048)), false)]
    fn thumbnails(#[case] url: &str, #[case] good: bool) {
        let mut update = ProjectUpdate {
            thumbnail_url: Some(Some(url.to_owned())),
            ..ProjectUpdate::default()
        };
        assert_eq!(check_update(&mut update).is_ok(), good);
    }

    #[test]
    fn tells_of_every_fault_at_once() {
        let mut new = NewProject {
            name: String::new(),
            description: Some("\u{7}".to_owned()),
            settings: Some(object(
                json!({"a": {"b": ["\0"]}, "c": "x".repeat(MAX_SETTINGS)}),
            )),
            thumbnail_url: Some("x".to_owned()),
            ..NewProject::default()
        };
        assert_eq!(
            pointers(check_new(&mut new)),
            [
                "/name required",
                "/description invalid_character",
                "/settings invalid_character",
                "/settings too_long",
                "/thumbnailUrl invalid"
            ]
        );
    }

    /// Cases of RFC 7396 appendix A, those whose documents are objects.
    #[rstest]
    #[case(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"}))]
    #[case(json!({"a": "b"}), json!({"a": null}), json!({}))]
    #[case(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]}))]
    #[case(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}}))]
    #[case(json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1}))]
    #[case(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}))]
    fn merges(#[case] target: Value, #[case] patch: Value, #[case] expected: Value) {
        let mut target = object(target);
        merge(&mut target, object(patch));
        assert_eq!(Value::Object(target), expected);
    }
}
