use crate::error::KvError;
use crate::model::NewEntry;
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::HashSet;

pub(crate) const MAX_KEYS: usize = 100;
const MAX_KEY_CHARS: usize = 512;
const MAX_NAMESPACE_CHARS: usize = 64;
pub(crate) const MAX_VALUE_BYTES: usize = 1024 * 1024;
/// A hundred years: later moments overflow somewhere.
const MAX_TTL: TimeDelta = TimeDelta::days(36_525);

pub(crate) fn namespace(text: &str) -> Result<(), KvError> {
    let good = text.len() <= MAX_NAMESPACE_CHARS
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if good {
        return Ok(());
    }
    let detail = format!(
        "must be 1 to {MAX_NAMESPACE_CHARS} of A-Z a-z 0-9 _ - . and begin with a letter or digit"
    );
    Err(KvError::invalid("namespace", "invalid", detail))
}

pub(crate) fn key(pointer: &str, text: &str) -> Result<(), KvError> {
    let chars = text.chars().count();
    if !(1..=MAX_KEY_CHARS).contains(&chars) {
        let code = if chars == 0 { "required" } else { "too_long" };
        let detail = format!("must have 1 to {MAX_KEY_CHARS} characters");
        return Err(KvError::invalid(pointer, code, detail));
    }
    no_nul(pointer, text)
}

/// A prefix may be empty.
pub(crate) fn prefix(text: &str) -> Result<(), KvError> {
    if text.chars().count() > MAX_KEY_CHARS {
        let detail = format!("must have at most {MAX_KEY_CHARS} characters");
        return Err(KvError::invalid("prefix", "too_long", detail));
    }
    no_nul("prefix", text)
}

pub(crate) fn keys(keys: &[String]) -> Result<(), KvError> {
    count("/keys", keys.len())?;
    keys.iter()
        .enumerate()
        .try_for_each(|(at, text)| key(&format!("/keys/{at}"), text))
}

pub(crate) fn entries(entries: &[NewEntry]) -> Result<(), KvError> {
    count("/entries", entries.len())?;
    let mut seen = HashSet::new();
    for (at, new) in entries.iter().enumerate() {
        let pointer = format!("/entries/{at}");
        key(&format!("{pointer}/key"), &new.key)?;
        if !seen.insert(&new.key) {
            let detail = "each key may stand here once";
            return Err(KvError::invalid(
                &format!("{pointer}/key"),
                "duplicate",
                detail,
            ));
        }
        entry(&pointer, new)?;
    }
    Ok(())
}

/// Value and time to live.
pub(crate) fn entry(pointer: &str, new: &NewEntry) -> Result<(), KvError> {
    if let Some(ttl) = new.ttl
        && !(ttl > TimeDelta::zero() && ttl <= MAX_TTL)
    {
        let detail = "must be more than 0 seconds and at most 100 years";
        return Err(KvError::invalid(
            &format!("{pointer}/ttlSeconds"),
            "out_of_range",
            detail,
        ));
    }
    let pointer = format!("{pointer}/value");
    if has_nul(&new.value) {
        let detail = "must not contain the NUL character";
        return Err(KvError::invalid(&pointer, "invalid_character", detail));
    }
    let bytes = serde_json::to_vec(&new.value).map_or(usize::MAX, |bytes| bytes.len());
    if bytes > MAX_VALUE_BYTES {
        return Err(too_large(&pointer));
    }
    Ok(())
}

pub(crate) fn too_large(pointer: &str) -> KvError {
    let detail = format!("must be at most {MAX_VALUE_BYTES} bytes of JSON");
    KvError::invalid(pointer, "too_large", detail)
}

fn count(pointer: &str, count: usize) -> Result<(), KvError> {
    if (1..=MAX_KEYS).contains(&count) {
        return Ok(());
    }
    let detail = format!("must be 1 to {MAX_KEYS}");
    Err(KvError::invalid(pointer, "out_of_range", detail))
}

fn no_nul(pointer: &str, text: &str) -> Result<(), KvError> {
    if text.contains('\0') {
        let detail = "must not contain the NUL character";
        return Err(KvError::invalid(pointer, "invalid_character", detail));
    }
    Ok(())
}

/// PostgreSQL's text, and with it jsonb, cannot hold U+0000.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, item)| name.contains('\0') || has_nul(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
