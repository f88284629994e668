//! What a template shows, made fit to be shown.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A longer name is no name that one would be greeted by.
const NAME_CHARACTERS: usize = 64;

/// The data with control characters gone, times and names in a readable form, and without what
/// must not be shown.
pub(crate) fn presentable(data: &Map<String, Value>) -> BTreeMap<String, String> {
    let members = data.iter().filter_map(|(member, value)| {
        let shown = match value {
            Value::String(text) => text_of(member, &single_line(text))?,
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((member.clone(), shown))
    });
    members.collect()
}

fn text_of(member: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match member {
        "name" => is_greetable(text).then(|| text.to_owned()),
        "link" => is_web_address(text).then(|| text.to_owned()),
        "at" => Some(moment(text)),
        "provider" => Some(provider(text)),
        "role" => Some(text.replace('_', " ")),
        _ => Some(text.to_owned()),
    }
}

/// A line break in a value must not look like one of ours.
fn single_line(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control() || is_line_break(c), " ");
    spaced.trim().to_owned()
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a mail may call somebody this. Anybody can register another's address under a name that
/// is an advertisement: mail programs would make a link of it.
fn is_greetable(name: &str) -> bool {
    let dotted = name.split('.').skip(1).any(|rest| {
        let letters = rest.chars().take_while(|c| c.is_alphanumeric());
        letters.count() >= 2
    });
    name.chars().count() <= NAME_CHARACTERS && !dotted && !name.contains(['/', '\\', ':', '@'])
}

/// Whether a link leads to the web; callers make it from the configured URL.
pub(crate) fn is_web_address(link: &str) -> bool {
    let rest = link
        .strip_prefix("https://")
        .or_else(|| link.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty())
        && !link.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
}

fn moment(text: &str) -> String {
    match text.parse::<DateTime<Utc>>() {
        Ok(moment) => moment.format("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

fn provider(name: &str) -> String {
    match name {
        "google" => "Google".to_owned(),
        "github" => "GitHub".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(data: &Value) -> Value {
        json!(presentable(data.as_object().unwrap()))
    }

    #[test]
    fn values_are_made_readable() {
        let data = json!({
            "at": "2026-11-22T17:05:09.123Z", "provider": "github", "role": "super_admin", "minutes": 10,
            "device": "Firefox\r\nBcc: x@example.com", "nothing": null, "empty": " ", "list": [1],
        });
        let expected = json!({
            "at": "2026-11-22 17:05 UTC", "provider": "GitHub", "role": "super admin", "minutes": "10",
            "device": "Firefox  Bcc: x@example.com",
        });
        assert_eq!(shown(&data), expected);
    }

    #[test]
    fn a_name_is_not_an_advertisement() {
        for good in [
            "สมชาย ใจดี",
            "J. R. R. Tolkien",
            "J.R.R. Tolkien",
            "O'Neil <b>",
            "Dr. No",
        ] {
            assert_eq!(shown(&json!({ "name": good })), json!({ "name": good }));
        }
        let long = "x".repeat(65);
        for bad in [
            "You won! https://evil.example",
            "evil.example",
            "write to a@b",
            "a/b",
            &long,
        ] {
            assert_eq!(shown(&json!({ "name": bad })), json!({}), "{bad}");
        }
    }

    #[test]
    fn a_link_leads_to_the_web() {
        for good in [
            "https://eyemotion.ai/a?token=b_c#d",
            "http://localhost:3000",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "//a",
            "https://a\" b",
            "https://a\n",
            "",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
