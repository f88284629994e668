//! What is wrong with a configuration: everything at once, each with its key and where it came from.

use std::fmt;

/// One thing to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting (`server.port`), or the name as it was given when no setting is meant.
    pub key: String,
    /// Where the value came from: a file, a variable or a flag. Empty for the built-in default.
    pub origin: String,
    /// What is wrong and what would be right. Never holds the value of a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin.is_empty() {
            write!(f, "{}: {}", self.key, self.message)
        } else {
            write!(f, "{} (from {}): {}", self.key, self.origin, self.message)
        }
    }
}

/// The configuration cannot be used; the list is never empty.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} problem(s):{}", .0.len(), lines(.0))]
pub struct ConfigError(pub Vec<Problem>);

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .fold(String::new(), |all, problem| format!("{all}\n  {problem}"))
}

/// Gathers problems while sections check themselves.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, key: &str, origin: &str, message: impl Into<String>) {
        self.0.push(Problem {
            key: key.to_owned(),
            origin: origin.to_owned(),
            message: message.into(),
        });
    }

    /// Records `message` against `key` unless `holds`. The loader adds the origin afterwards.
    pub(crate) fn require(&mut self, holds: bool, key: &str, message: &str) {
        if !holds {
            self.add(key, "", message);
        }
    }
}
