//! `[jobs]`: background work.

use serde::{Deserialize, Serialize};

use super::problem::Problems;

/// The `[jobs]` section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobsSettings {
    /// Jobs that this process runs at once; 0 leaves them to other processes.
    pub workers: usize,
}

impl Default for JobsSettings {
    fn default() -> Self {
        Self { workers: 2 }
    }
}

impl JobsSettings {
    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.require(self.workers <= 256, "jobs.workers", "must be at most 256");
    }
}
