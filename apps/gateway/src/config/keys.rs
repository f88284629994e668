//! The names of settings: which exist, what each holds, how the environment spells it.

use std::collections::BTreeMap;

use figment::value::Value;

use super::Settings;
use super::switch::SWITCHES;

/// Variables that other tools and hosts already use, and the setting that each one is.
pub(super) const ALIASES: [(&str, &str); 12] = [
    ("DATABASE_URL", "database.url"),
    ("STORAGE_URL", "storage.url"),
    ("STRIPE_SECRET_KEY", "stripe.secret_key"),
    ("STRIPE_WEBHOOK_SECRET", "stripe.webhook_secret"),
    ("OPENAI_API_KEY", "openai.api_key"),
    ("SMTP_URL", "smtp.url"),
    ("FRONTEND_URL", "server.frontend_url"),
    ("GOOGLE_CLIENT_ID", "oauth.google_client_id"),
    ("GOOGLE_CLIENT_SECRET", "oauth.google_client_secret"),
    ("GITHUB_CLIENT_ID", "oauth.github_client_id"),
    ("GITHUB_CLIENT_SECRET", "oauth.github_client_secret"),
    ("RUST_LOG", "log.filter"),
];

/// Settings of type [`super::Secret`]: these may be read from a file by `<name>_file`.
pub(super) const SECRETS: [&str; 9] = [
    "auth.signing_key",
    "auth.secret",
    "database.url",
    "oauth.github_client_secret",
    "oauth.google_client_secret",
    "openai.api_key",
    "smtp.url",
    "stripe.secret_key",
    "stripe.webhook_secret",
];

/// What a setting holds, as far as reading it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Integer,
    /// True, false or "auto".
    Switch,
    Text,
    List,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Integer => "a whole number",
            Self::Switch => "true, false or \"auto\"",
            Self::Text => "a text",
            Self::List => "a list of texts",
        }
    }

    /// An unset optional setting is a text: every optional one is a URL, path, id or secret.
    fn of(default: &Value) -> Self {
        match default {
            Value::Bool(..) => Self::Bool,
            Value::Num(..) => Self::Integer,
            Value::Array(..) => Self::List,
            _ => Self::Text,
        }
    }
}

/// Every setting that exists, taken from [`Settings`] itself.
#[derive(Debug)]
pub(super) struct Keys(BTreeMap<String, Kind>);

impl Keys {
    /// # Errors
    /// Only if `Settings::default()` cannot be serialised, which a test excludes.
    pub(super) fn known() -> Result<Self, Box<figment::Error>> {
        let defaults = Value::serialize(Settings::default())?;
        let sections = defaults.as_dict().into_iter().flatten();
        let keys = sections.flat_map(|(section, settings)| {
            let settings = settings.as_dict().into_iter().flatten();
            settings.map(move |(name, value)| {
                let key = format!("{section}.{name}");
                let kind = if SWITCHES.contains(&key.as_str()) {
                    Kind::Switch
                } else {
                    Kind::of(value)
                };
                (key, kind)
            })
        });
        Ok(Self(keys.collect()))
    }

    pub(super) fn kind(&self, key: &str) -> Option<Kind> {
        self.0.get(key).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn has_section(&self, section: &str) -> bool {
        self.0
            .keys()
            .any(|key| key.split('.').next() == Some(section))
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.0.iter().map(|(key, kind)| (key.as_str(), *kind))
    }

    /// The known key that someone who wrote `unknown` most likely meant.
    pub(super) fn nearest(&self, unknown: &str) -> Option<&str> {
        let name = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let likeness = |key: &str| {
            // The right name in the wrong section, or in none, is a likelier slip than a similar spelling.
            let same_name = if name(key) == name(unknown) {
                0.95
            } else {
                0.0
            };
            strsim::jaro_winkler(key, unknown).max(same_name)
        };
        let scored = self.0.keys().map(|key| (likeness(key), key.as_str()));
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 > 0.85).then_some(best.1)
    }
}

/// `server.port` as the environment spells it: `EYEMOTION_SERVER_PORT`.
pub(super) fn variable(key: &str) -> String {
    format!("EYEMOTION_{}", key.replace('.', "_").to_uppercase())
}

/// The key that a variable's name (without `EYEMOTION_`) spells: the first underscore ends the section.
pub(super) fn key_of_variable(rest: &str) -> String {
    rest.to_lowercase().replacen('_', ".", 1)
}
