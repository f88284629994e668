//! The three layers over the defaults, each as a list of given values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::keys::{ALIASES, key_of_variable, variable};
use super::problem::Problems;

/// Variables with our prefix that are not settings: the file's path, and what the tests are given.
const NOT_SETTINGS: [&str; 2] = ["EYEMOTION_CONFIG", "EYEMOTION_FOOTAGE"];

/// What the variables of a Supabase project become here.
const SUPABASE: [(&str, &str); 4] = [
    (
        "SUPABASE_URL",
        "set DATABASE_URL to a PostgreSQL connection string, or nothing for a local one; clients \
         call this server instead of that URL",
    ),
    (
        "SUPABASE_DB_URL",
        "set DATABASE_URL, after the data has been moved to a database without Supabase's own schemas",
    ),
    (
        "SUPABASE_ANON_KEY",
        "nothing replaces it: requests need no key, and an `apikey` header is accepted and ignored",
    ),
    (
        "SUPABASE_SERVICE_ROLE_KEY",
        "nothing replaces it: the server has its own database roles (DATABASE_URL), and \
         administrators sign in with accounts of their own",
    ),
];

/// A value given on the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The flag as the person typed it: `--port`.
    pub name: &'static str,
    /// The setting: `server.port`.
    pub key: &'static str,
    /// Its value, as text.
    pub value: String,
}

/// One value from one place, not yet checked.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) key: String,
    pub(super) origin: String,
    /// How the same place would spell another key, for suggestions.
    pub(super) spelling: fn(&str) -> String,
    pub(super) value: Raw,
}

impl Given {
    /// `[smtp]` with nothing below it: says nothing, and is no mistake if there is such a section.
    pub(super) fn is_empty_section(&self) -> bool {
        matches!(&self.value, Raw::Toml(toml::Value::Table(settings)) if settings.is_empty())
    }
}

/// A value as its place holds it.
#[derive(Debug)]
pub(super) enum Raw {
    /// From the environment or a flag: becomes what the setting holds.
    Text(String),
    /// From the file: must already be what the setting holds.
    Toml(toml::Value),
}

/// The folder used when nothing names one. Root's local PostgreSQL runs as another user, who could not
/// reach a folder below root's home.
pub fn default_data_dir(is_root: bool) -> PathBuf {
    PathBuf::from(if is_root {
        "/var/lib/eyemotion"
    } else {
        "eyemotion-data"
    })
}

/// Values of the environment. An empty variable counts as unset, as container files often leave them.
pub(super) fn environment(env: &BTreeMap<String, String>) -> Vec<Given> {
    let given = |name: &str, key: String, value: &str| Given {
        key,
        origin: format!("environment variable {name}"),
        spelling: variable,
        value: Raw::Text(value.to_owned()),
    };
    let set = || env.iter().filter(|(_, value)| !value.trim().is_empty());
    // Plain names first: our own spelling, being the more precise one, wins over them.
    let plain = set().filter_map(|(name, value)| {
        let (base, suffix) = match name.strip_suffix("_FILE") {
            Some(base) => (base, "_file"),
            None => (name.as_str(), ""),
        };
        let (_, key) = ALIASES.iter().find(|(alias, _)| *alias == base)?;
        Some(given(name, format!("{key}{suffix}"), value))
    });
    let own = set().filter_map(|(name, value)| {
        let rest = name.strip_prefix("EYEMOTION_")?;
        let ours = !NOT_SETTINGS.contains(&name.as_str()) && !rest.starts_with("TEST_");
        ours.then(|| given(name, key_of_variable(rest), value))
    });
    plain.chain(own).collect()
}

/// Values of the command line.
pub(super) fn flags(flags: &[Flag]) -> Vec<Given> {
    let given = |flag: &Flag| Given {
        key: flag.key.to_owned(),
        origin: format!("flag {}", flag.name),
        spelling: str::to_owned,
        value: Raw::Text(flag.value.clone()),
    };
    flags.iter().map(given).collect()
}

/// Values of a TOML file. Its own text never enters a message: a line with a mistake may hold a secret.
pub(super) fn file(path: &Path, problems: &mut Problems) -> Vec<Given> {
    let origin = format!("file {}", path.display());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.add(
                "eyemotion.toml",
                &origin,
                format!("cannot be read: {error}"),
            );
            return Vec::new();
        }
    };
    let table: toml::Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(error) => {
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            problems.add(
                "eyemotion.toml",
                &origin,
                format!("line {line}: {}", error.message()),
            );
            return Vec::new();
        }
    };
    let given = |key: String, value: toml::Value| Given {
        key,
        origin: origin.clone(),
        spelling: str::to_owned,
        value: Raw::Toml(value),
    };
    let section = |(section, value): (String, toml::Value)| match value {
        toml::Value::Table(settings) if !settings.is_empty() => settings
            .into_iter()
            .map(|(name, value)| given(format!("{section}.{name}"), value))
            .collect(),
        other => vec![given(section, other)],
    };
    table.into_iter().flat_map(section).collect()
}

/// What to tell someone whose environment still holds the names of a Supabase project.
pub(super) fn supabase_warnings(env: &BTreeMap<String, String>) -> Vec<String> {
    let names = env.keys().filter(|name| name.starts_with("SUPABASE_"));
    let warning = |name: &String| {
        let known = SUPABASE.iter().find(|(known, _)| known == name);
        let advice = known.map_or("EyeMotion has no setting of this kind", |(_, advice)| {
            advice
        });
        format!("{name} is not used: {advice}")
    };
    names.map(warning).collect()
}
