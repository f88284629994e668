use chrono::Duration;

const GIB: u64 = 1 << 30;

/// Limits and times of storage.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Largest file, bytes.
    pub max_file_bytes: u64,
    /// How long an upload may wait to begin.
    pub upload_ttl: Duration,
    /// The same for files over 1 GiB.
    pub large_upload_ttl: Duration,
    /// How long a finished upload waits for its confirmation.
    pub confirm_ttl: Duration,
    /// How long a download URL works.
    pub download_ttl: Duration,
    /// How long an upload from which nothing is heard keeps others out.
    pub lease: Duration,
    /// How often an upload under way renews its lease.
    pub lease_renewal: Duration,
    /// How long the trash keeps a file.
    pub trash_retention: Duration,
    /// How long an upload that came to nothing stays listed, and how old leftovers in the
    /// object store must be before they are removed.
    pub leftover_grace: Duration,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            max_file_bytes: 10 * GIB,
            upload_ttl: Duration::minutes(15),
            large_upload_ttl: Duration::hours(1),
            confirm_ttl: Duration::hours(24),
            download_ttl: Duration::minutes(15),
            lease: Duration::seconds(15),
            lease_renewal: Duration::seconds(5),
            trash_retention: Duration::days(30),
            leftover_grace: Duration::hours(24),
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, thiserror::Error)]
#[error("storage: {0}")]
pub struct InvalidConfig(&'static str);

impl StorageConfig {
    /// Checks the settings against each other.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let positive = [
            self.upload_ttl,
            self.large_upload_ttl,
            self.confirm_ttl,
            self.download_ttl,
            self.lease_renewal,
            self.trash_retention,
        ];
        if self.max_file_bytes == 0 || i64::try_from(self.max_file_bytes).is_err() {
            return Err(InvalidConfig("the largest file must be 1 byte to 8 EiB"));
        }
        if positive.iter().any(|time| *time <= Duration::zero()) {
            return Err(InvalidConfig("every time must be longer than nothing"));
        }
        if self.lease < self.lease_renewal * 2 {
            return Err(InvalidConfig("a lease must last at least two renewals"));
        }
        if self.leftover_grace < self.upload_ttl.max(self.large_upload_ttl).max(self.lease) {
            return Err(InvalidConfig("leftovers must outlast every upload URL"));
        }
        Ok(())
    }

    pub(crate) fn upload_ttl_for(&self, size: u64) -> Duration {
        if size > GIB {
            self.large_upload_ttl
        } else {
            self.upload_ttl
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_nonsense_is_not() {
        StorageConfig::default().validate().unwrap();
        let wrong = StorageConfig {
            lease: Duration::seconds(6),
            ..StorageConfig::default()
        };
        assert!(wrong.validate().is_err());
        let wrong = StorageConfig {
            max_file_bytes: 0,
            ..StorageConfig::default()
        };
        assert!(wrong.validate().is_err());
    }
}
