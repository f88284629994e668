//! Form parameters as Stripe reads them: `items[0][price]=...`, from the query or the body.

use crate::error::StripeError;
use serde_json::{Map, Value};

/// The parameters of a request, or those under one of its keys.
#[derive(Clone, Debug, Default)]
pub struct Params {
    prefix: String,
    root: Map<String, Value>,
}

impl Params {
    pub fn parse(pairs: &[(String, String)]) -> Self {
        let mut root = Map::new();
        for (name, value) in pairs {
            let mut keys = name.split('[').map(|key| key.trim_end_matches(']'));
            let first = keys.next().unwrap_or_default();
            put(&mut root, first, &keys.collect::<Vec<_>>(), value);
        }
        Self {
            prefix: String::new(),
            root,
        }
    }

    /// The name of a parameter as an error tells it.
    pub fn name(&self, key: &str) -> String {
        if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}[{key}]", self.prefix)
        }
    }

    /// Refuses what an endpoint does not know. Patterns are dotted; `*` is any one key, a last `**` anything.
    pub fn only(&self, allowed: &[&str]) -> Result<(), StripeError> {
        let mut leaves = Vec::new();
        collect(&self.root, &mut Vec::new(), &mut leaves);
        for leaf in leaves {
            let known = ["expand.*"].iter().chain(allowed);
            if !known.into_iter().any(|pattern| matches(pattern, &leaf)) {
                let mut named = leaf.first().cloned().unwrap_or_default();
                for key in leaf.iter().skip(1) {
                    named = format!("{named}[{key}]");
                }
                return Err(StripeError::unknown(&named));
            }
        }
        Ok(())
    }

    pub fn has(&self, key: &str) -> bool {
        self.root.contains_key(key)
    }

    /// A text; an empty one is there too, and means "unset".
    pub fn text(&self, key: &str) -> Option<&str> {
        self.root.get(key).and_then(Value::as_str)
    }

    /// A text that is not empty.
    pub fn filled(&self, key: &str) -> Option<&str> {
        self.text(key).filter(|text| !text.is_empty())
    }

    pub fn need(&self, key: &str) -> Result<&str, StripeError> {
        self.filled(key)
            .ok_or_else(|| StripeError::missing(&self.name(key)))
    }

    pub fn int(&self, key: &str) -> Result<Option<i64>, StripeError> {
        self.filled(key)
            .map(|text| {
                text.parse().map_err(|_| {
                    StripeError::invalid(format!("Invalid integer: {text}"))
                        .code("parameter_invalid_integer")
                        .param(self.name(key))
                })
            })
            .transpose()
    }

    pub fn need_int(&self, key: &str) -> Result<i64, StripeError> {
        self.int(key)?
            .ok_or_else(|| StripeError::missing(&self.name(key)))
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, StripeError> {
        match self.filled(key) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                Err(StripeError::invalid(format!("Invalid boolean: {other}")).param(self.name(key)))
            }
        }
    }

    /// One of a set of words.
    pub fn choice(&self, key: &str, words: &[&str]) -> Result<Option<&str>, StripeError> {
        match self.filled(key) {
            Some(word) if !words.contains(&word) => Err(StripeError::invalid(format!(
                "Invalid {key}: must be one of {}",
                words.join(", ")
            ))
            .param(self.name(key))),
            word => Ok(word),
        }
    }

    pub fn child(&self, key: &str) -> Option<Params> {
        self.root.get(key)?.as_object().map(|root| Params {
            prefix: self.name(key),
            root: root.clone(),
        })
    }

    /// The members of a list of hashes, in the order of their numbers.
    pub fn list(&self, key: &str) -> Vec<Params> {
        let Some(child) = self.child(key) else {
            return Vec::new();
        };
        child
            .numbered()
            .into_iter()
            .filter_map(|number| child.child(&number))
            .collect()
    }

    /// The members of a list of texts.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let Some(child) = self.child(key) else {
            return self.filled(key).map(str::to_owned).into_iter().collect();
        };
        child
            .numbered()
            .into_iter()
            .filter_map(|number| child.text(&number).map(str::to_owned))
            .collect()
    }

    /// A hash as it came.
    pub fn map(&self, key: &str) -> Map<String, Value> {
        self.root
            .get(key)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// What `metadata` becomes: given keys are set, empty ones taken away, an empty hash clears it.
    pub fn merged(&self, key: &str, old: &Value) -> Value {
        if self.text(key) == Some("") {
            return Value::Object(Map::new());
        }
        let mut merged = old.as_object().cloned().unwrap_or_default();
        for (name, value) in self.map(key) {
            if value.as_str() == Some("") {
                merged.remove(&name);
            } else {
                merged.insert(name, value);
            }
        }
        Value::Object(merged)
    }

    fn numbered(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.root.keys().cloned().collect();
        keys.sort_by_key(|key| key.parse::<u64>().unwrap_or(u64::MAX));
        keys
    }
}

fn put(into: &mut Map<String, Value>, key: &str, rest: &[&str], value: &str) {
    let key = if key.is_empty() {
        into.len().to_string()
    } else {
        key.to_owned()
    };
    match rest.split_first() {
        None => {
            into.insert(key, value.into());
        }
        Some((next, rest)) => {
            let inner = into.entry(key).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                put(inner, next, rest, value);
            }
        }
    }
}

fn collect(from: &Map<String, Value>, path: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    for (key, value) in from {
        path.push(key.clone());
        match value.as_object() {
            Some(inner) => collect(inner, path, leaves),
            None => leaves.push(path.clone()),
        }
        path.pop();
    }
}

fn matches(pattern: &str, leaf: &[String]) -> bool {
    let mut leaf = leaf.iter();
    for part in pattern.split('.') {
        match (part, leaf.next()) {
            // A whole hash or list may be unset with an empty text.
            ("**", _) | ("*", None) => return true,
            ("*", Some(_)) => {}
            (part, Some(key)) if part == key => {}
            _ => return false,
        }
    }
    leaf.next().is_none()
}
