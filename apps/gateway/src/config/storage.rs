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
    /// How long an upload URL may be used to begin an upload.
    pub upload_ttl_secs: u64,
    /// How long a download URL may be used to begin a download.
    pub download_ttl_secs: u64,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self {
            url: None,
            max_file_bytes: 10 * 1024 * 1024 * 1024,
            upload_ttl_secs: 3600,
            download_ttl_secs: 900,
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
        for (key, seconds) in [
            ("storage.upload_ttl_secs", self.upload_ttl_secs),
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
