//! The configuration in force, as TOML with the origin of each value. Secrets show as `[redacted]`.

use std::fmt::Write;

use figment::value::Value;

use super::Loaded;

impl Loaded {
    /// What `eyemotion config dump` prints: a file that says the same as the running configuration, except
    /// for secrets.
    ///
    /// # Errors
    /// Only if the settings cannot be serialised.
    pub fn dump(&self) -> Result<String, Box<figment::Error>> {
        let settings = Value::serialize(&self.settings)?;
        let mut out = String::new();
        for (section, values) in settings.as_dict().into_iter().flatten() {
            let separator = if out.is_empty() { "" } else { "\n" };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{separator}[{section}]");
            for (name, value) in values.as_dict().into_iter().flatten() {
                let origin = self.origins.get(&format!("{section}.{name}"));
                let _ = match literal(value) {
                    Some(text) => {
                        let origin = origin.map_or("default", String::as_str);
                        writeln!(out, "{name} = {text}  # {origin}")
                    }
                    None => writeln!(out, "# {name} is not set"),
                };
            }
        }
        Ok(out)
    }
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Empty(..) => None,
        other => toml::Value::try_from(other)
            .ok()
            .map(|value| value.to_string()),
    }
}
