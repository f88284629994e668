//! `[log]`: what is written about the work, and how.

use serde::{Deserialize, Serialize};

use super::problem::Problems;

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For eyes.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The `[log]` section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogSettings {
    /// The shape of a line.
    pub format: LogFormat,
    /// Which events are written: a level, or `target=level` pairs as in `RUST_LOG`.
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            filter: "info".to_owned(),
        }
    }
}

impl LogSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.require(
            !self.filter.trim().is_empty(),
            "log.filter",
            "must not be empty",
        );
    }
}
