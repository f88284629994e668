//! Reading the JSON documents that the fake keeps.

use serde_json::Value;

/// Fields by name, with the type's empty value where there is none.
pub trait Document {
    fn text(&self, key: &str) -> &str;
    fn number(&self, key: &str) -> i64;
    fn flag(&self, key: &str) -> bool;
    fn id(&self) -> &str {
        self.text("id")
    }
    /// The members of an array, or of a list object's `data`.
    fn members(&self, key: &str) -> &[Value];
}

impl Document for Value {
    fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, key: &str) -> i64 {
        self.get(key).and_then(Value::as_i64).unwrap_or_default()
    }

    fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    fn members(&self, key: &str) -> &[Value] {
        let value = self.get(key);
        let list =
            value.and_then(|value| value.as_array().or_else(|| value.get("data")?.as_array()));
        list.map(Vec::as_slice).unwrap_or_default()
    }
}
