//! The bounds of every value that people send, the same as those of the tables.

use crate::error::AuthError;
use eyemotion_core::{EmailAddress, FieldError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

pub(crate) const FULL_NAME: Bounds = Bounds {
    pointer: "/fullName",
    least: 1,
    most: 200,
};
pub(crate) const COMPANY_NAME: Bounds = Bounds {
    pointer: "/companyName",
    least: 0,
    most: 200,
};
pub(crate) const INDUSTRY: Bounds = Bounds {
    pointer: "/industry",
    least: 0,
    most: 100,
};
pub(crate) const COUNTRY: Bounds = Bounds {
    pointer: "/country",
    least: 0,
    most: 100,
};
pub(crate) const PHONE: Bounds = Bounds {
    pointer: "/phone",
    least: 0,
    most: 40,
};
pub(crate) const BAN_REASON: Bounds = Bounds {
    pointer: "/reason",
    least: 0,
    most: 500,
};
const AVATAR_URL: Bounds = Bounds {
    pointer: "/avatarUrl",
    least: 0,
    most: 2048,
};

const PASSWORD_LEAST: usize = 8;
const PASSWORD_MOST: usize = 256;
const PASSWORD_MOST_BYTES: usize = 1024;
/// Half of what the table takes, because the database writes JSON with more spaces.
const PREFERENCES_BYTES: usize = 32 * 1024;

/// How many characters a text may have, and where it stands in the body.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pointer: &'static str,
    least: usize,
    most: usize,
}

impl Bounds {
    /// Characters at most.
    pub(crate) const fn most(self) -> usize {
        self.most
    }
}

/// Collects what is wrong, so that a client hears of everything at once.
#[derive(Default)]
pub(crate) struct Checks(Vec<FieldError>);

impl Checks {
    /// Fails if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), AuthError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AuthError::Invalid(self.0))
        }
    }

    fn fault(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError::new(pointer, code, detail));
    }

    /// The text without white space around it.
    pub(crate) fn text(&mut self, bounds: Bounds, text: &str) -> String {
        let Bounds {
            pointer,
            least,
            most,
        } = bounds;
        let text = text.trim();
        let length = text.chars().count();
        if length < least {
            self.fault(pointer, "required", "must not be empty");
        } else if length > most {
            self.fault(
                pointer,
                "too_long",
                format!("must have at most {most} characters"),
            );
        } else if text.contains(char::is_control) {
            self.fault(pointer, "invalid", "must not contain control characters");
        }
        text.to_owned()
    }

    /// The same; none if nothing is left of it.
    pub(crate) fn optional_text(&mut self, bounds: Bounds, text: Option<&str>) -> Option<String> {
        text.map(|text| self.text(bounds, text))
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn email(&mut self, text: &str) -> Option<EmailAddress> {
        EmailAddress::parse(text)
            .map_err(|error| self.fault("/email", "invalid", error.to_string()))
            .ok()
    }

    /// Any characters will do, NIST SP 800-63B section 3.1.1.2; neither trimmed nor cut.
    pub(crate) fn password(&mut self, password: &SecretString) {
        self.password_at("/password", password);
    }

    /// The same for a password that stands elsewhere in the body.
    pub(crate) fn password_at(&mut self, pointer: &str, password: &SecretString) {
        let detail = format!("must have {PASSWORD_LEAST} to {PASSWORD_MOST} characters");
        let password = password.expose_secret();
        if password.chars().count() < PASSWORD_LEAST {
            self.fault(pointer, "too_short", detail);
        } else if is_too_long(password) {
            self.fault(pointer, "too_long", detail);
        }
    }

    /// An address that a browser may load an image from.
    pub(crate) fn avatar_url(&mut self, text: Option<&str>) -> Option<String> {
        let url = self.optional_text(AVATAR_URL, text)?;
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let host = rest
            .and_then(|rest| rest.split(['/', '?', '#']).next())
            .unwrap_or_default();
        if host.is_empty() || url.contains(|c: char| c.is_whitespace() || "\\\"<>".contains(c)) {
            self.fault(
                AVATAR_URL.pointer,
                "invalid",
                "must be an https:// or http:// address",
            );
        }
        Some(url)
    }

    pub(crate) fn preferences(&mut self, preferences: &Value) {
        if preferences.to_string().len() > PREFERENCES_BYTES {
            self.preferences_too_large();
        } else if has_nul(preferences) {
            self.fault("/preferences", "invalid", "must not contain NUL characters");
        }
    }

    pub(crate) fn preferences_too_large(&mut self) {
        self.fault("/preferences", "too_long", "must be at most 32 KiB of JSON");
    }
}

/// Whether nobody can have this password; it is then not worth a hash.
pub(crate) fn is_too_long(password: &str) -> bool {
    password.len() > PASSWORD_MOST_BYTES || password.chars().count() > PASSWORD_MOST
}

/// PostgreSQL's jsonb takes any character but this one.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// JSON Merge Patch, RFC 7396 section 2.
pub(crate) fn merge(target: &mut Value, patch: Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        match value {
            Value::Null => {
                members.remove(&name);
            }
            Value::Object(inner) => merge(members.entry(name).or_insert(Value::Null), inner),
            other => {
                members.insert(name, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(check: impl FnOnce(&mut Checks)) -> Vec<(String, &'static str)> {
        let mut checks = Checks::default();
        check(&mut checks);
        checks
            .0
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    }

    #[test]
    fn texts_are_trimmed_and_bounded() {
        let mut checks = Checks::default();
        assert_eq!(checks.text(FULL_NAME, "  สมชาย ใจดี "), "สมชาย ใจดี");
        assert_eq!(
            checks.text(FULL_NAME, &"ก".repeat(200)).chars().count(),
            200
        );
        assert_eq!(checks.optional_text(PHONE, Some("  ")), None);
        assert!(checks.finish().is_ok());
        for (text, code) in [("", "required"), (" \t", "required"), ("a\0b", "invalid")] {
            let found = faults(|checks| drop(checks.text(FULL_NAME, text)));
            assert_eq!(found, [("/fullName".to_owned(), code)]);
        }
        let found = faults(|checks| drop(checks.text(PHONE, &"1".repeat(41))));
        assert_eq!(found, [("/phone".to_owned(), "too_long")]);
    }

    #[test]
    fn passwords_have_8_to_256_characters() {
        let check = |text: String| faults(|checks| checks.password(&text.into()));
        for good in [
            "password",
            "กกกกกกกก",
            "        ",
            "1234567\0",
            &"x".repeat(256),
        ] {
            assert!(check(good.to_owned()).is_empty(), "{good:?}");
        }
        assert!(check("😀".repeat(256)).is_empty());
        for bad in ["", "1234567", "กกกกกกก", &"x".repeat(257)] {
            assert_eq!(check(bad.to_owned()).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn an_avatar_is_on_the_web() {
        for good in ["https://example.com/a.png", "http://localhost:3000/a?b#c"] {
            assert!(
                faults(|checks| drop(checks.avatar_url(Some(good)))).is_empty(),
                "{good}"
            );
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:///a",
            "//a.b/c",
            "https://a b",
            "x",
        ] {
            assert_eq!(
                faults(|checks| drop(checks.avatar_url(Some(bad)))).len(),
                1,
                "{bad}"
            );
        }
    }

    #[test]
    fn preferences_hold_what_the_database_can_keep() {
        let check = |value: Value| faults(|checks| checks.preferences(&value)).len();
        assert_eq!(
            check(json!({"theme": "dark", "n": [1, null, {"a": "\u{1}"}]})),
            0
        );
        assert_eq!(check(json!({"a": [{"b": "\0"}]})), 1);
        assert_eq!(check(json!({"a": {"\0": 1}})), 1);
        assert_eq!(check(json!({"a": "x".repeat(40_000)})), 1);
    }

    #[test]
    fn merging_follows_the_rfc() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1], "e": 3});
        let patch = json!({"a": {"b": null, "x": 9}, "d": {"y": null, "z": 0}, "e": [2]});
        merge(&mut target, patch.as_object().unwrap().clone());
        assert_eq!(
            target,
            json!({"a": {"c": 2, "x": 9}, "d": {"z": 0}, "e": [2]})
        );
    }
}
