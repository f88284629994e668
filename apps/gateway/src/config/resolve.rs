//! From a given value to one that fits its setting, or to a problem.

use std::borrow::Cow;

use figment::providers::Serialized;
use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};

use super::keys::{Keys, Kind, SECRETS};
use super::layers::{Given, Raw};
use super::problem::Problems;

/// Values of one origin, as figment takes them.
pub(super) struct Value {
    origin: String,
    data: Result<Map<Profile, Dict>, figment::Error>,
}

impl Value {
    pub(super) fn new(origin: &str, data: &impl Provider) -> Self {
        Self {
            origin: origin.to_owned(),
            data: data.data(),
        }
    }
}

impl Provider for Value {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.data.clone()
    }
}

/// A secret given both as a value and as a file by one layer: neither should silently win.
pub(super) fn given_twice(layer: &[Given], problems: &mut Problems) {
    for twin in layer {
        let base = secret_of(&twin.key);
        let other = layer.iter().find(|other| base == Some(other.key.as_str()));
        if let (Some(key), Some(other)) = (base, other) {
            problems.add(
                key,
                &twin.origin,
                format!("is also given by {}: keep one", other.origin),
            );
        }
    }
}

/// Checks one given value: its key is known, it holds what the setting holds, its file can be read.
pub(super) fn resolve(given: Given, keys: &Keys, problems: &mut Problems) -> Option<Value> {
    if keys.has_section(&given.key) && given.is_empty_section() {
        return None;
    }
    let Given {
        key,
        origin,
        spelling,
        value,
    } = given;
    let (key, value) = if let Some(kind) = keys.kind(&key) {
        (Cow::from(&key), fit(kind, value))
    } else if let Some(secret) = secret_of(&key) {
        (Cow::from(secret), read_secret(value))
    } else {
        problems.add(&spelling(&key), &origin, unknown(&key, keys, spelling));
        return None;
    };
    match value {
        Ok(value) => Some(Value::new(&origin, &Serialized::default(&key, value))),
        Err(message) => {
            problems.add(&key, &origin, message);
            None
        }
    }
}

/// `smtp.url` for `smtp.url_file`.
fn secret_of(key: &str) -> Option<&str> {
    key.strip_suffix("_file")
        .filter(|base| SECRETS.contains(base))
}

/// The message names what is expected, never what was given: it may have been meant for a secret.
fn fit(kind: Kind, raw: Raw) -> Result<toml::Value, String> {
    let value = match raw {
        Raw::Text(text) => from_text(kind, text),
        Raw::Toml(value) => Some(value),
    };
    let fits = |value: &toml::Value| match (kind, value) {
        (Kind::Bool | Kind::Switch, toml::Value::Boolean(_))
        | (Kind::Integer, toml::Value::Integer(_))
        | (Kind::Text, toml::Value::String(_)) => true,
        (Kind::Switch, toml::Value::String(text)) => text == "auto",
        (Kind::List, toml::Value::Array(list)) => list.iter().all(toml::Value::is_str),
        _ => false,
    };
    value
        .filter(fits)
        .ok_or_else(|| format!("must be {}", kind.name()))
}

fn from_text(kind: Kind, text: String) -> Option<toml::Value> {
    Some(match kind {
        Kind::Text => toml::Value::String(text),
        Kind::Integer => toml::Value::Integer(text.trim().parse().ok()?),
        Kind::Switch if text.trim() == "auto" => toml::Value::from("auto"),
        Kind::Bool | Kind::Switch => match text.trim() {
            "true" | "1" => toml::Value::Boolean(true),
            "false" | "0" => toml::Value::Boolean(false),
            _ => return None,
        },
        Kind::List => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            toml::Value::Array(items.map(toml::Value::from).collect())
        }
    })
}

/// The text of a secret's file without the line end that editors and `echo` leave.
fn read_secret(path: Raw) -> Result<toml::Value, String> {
    let toml::Value::String(path) = fit(Kind::Text, path)? else {
        return Err("must be a path".to_owned());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Err(format!("its file {path} is empty")),
        Ok(text) => Ok(toml::Value::from(text.trim_end_matches(['\r', '\n']))),
        Err(error) => Err(format!("its file {path} cannot be read: {error}")),
    }
}

fn unknown(key: &str, keys: &Keys, spelling: fn(&str) -> String) -> String {
    if keys.has_section(key) {
        return format!("is a section: write [{key}] and its settings below");
    }
    match keys.nearest(key) {
        Some(nearest) => format!(
            "there is no such setting; did you mean {}?",
            spelling(nearest)
        ),
        None => "there is no such setting".to_owned(),
    }
}
