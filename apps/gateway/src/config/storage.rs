//! `[storage]`: where uploaded files live and what may be uploaded.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::problem::Problems;

/// The `[storage]` section. Sizes are bytes, times seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StorageSettings {
    /// `file:///absolute/path` of the object store. Absent: a folder in the data folder.
    pub url: Option<String>,
    /// Largest file that may be uploaded.
    pub max_file_bytes: u64,
    /// How long an upload may wait to begin.
    pub upload_ttl_secs: u64,
    /// The same for files over 1 GiB.
    pub large_upload_ttl_secs: u64,
    /// How long a finished upload waits for its confirmation.
    pub confirm_ttl_secs: u64,
    /// How long a download URL may be used to begin a download.
    pub download_ttl_secs: u64,
    /// How many days the trash keeps a file.
    pub trash_days: u64,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self {
            url: None,
            max_file_bytes: 10 * 1024 * 1024 * 1024,
            upload_ttl_secs: 900,
            large_upload_ttl_secs: 3600,
            confirm_ttl_secs: 86_400,
            download_ttl_secs: 900,
            trash_days: 30,
        }
    }
}

impl StorageSettings {
    /// The folder that `url` names; `None` when it is absent or not a local one.
    pub fn local_dir(&self) -> Option<PathBuf> {
        let path = Path::new(self.url.as_deref()?.strip_prefix("file://")?);
        path.is_absolute().then(|| path.to_owned())
    }

    pub(super) fn validate(&self, problems: &mut Problems) {
        problems.require(
            self.url.is_none() || self.local_dir().is_some(),
            "storage.url",
            "must be file:///absolute/path: this version stores files in a local folder only",
        );
        problems.require(
            self.max_file_bytes > 0,
            "storage.max_file_bytes",
            "must be at least 1",
        );
        problems.require(
            (1..=3650).contains(&self.trash_days),
            "storage.trash_days",
            "must be from 1 to 3650 days",
        );
        for (key, seconds) in [
            ("storage.upload_ttl_secs", self.upload_ttl_secs),
            ("storage.large_upload_ttl_secs", self.large_upload_ttl_secs),
            ("storage.confirm_ttl_secs", self.confirm_ttl_secs),
            ("storage.download_ttl_secs", self.download_ttl_secs),
        ] {
            // Seven days is the longest that presigned S3 URLs (SigV4) may live.
            problems.require(
                (60..=604_800).contains(&seconds),
                key,
                "must be from 60 to 604800 seconds (7 days)",
            );
        }
    }
}
