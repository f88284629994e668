use crate::blob::{BlobError, BlobStore};
use async_trait::async_trait;
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use std::sync::Arc;

/// Says whether the object store can be written to.
pub struct StorageProbe {
    blobs: Arc<dyn BlobStore>,
}

impl StorageProbe {
    /// Looks after this store.
    pub fn new(blobs: Arc<dyn BlobStore>) -> Self {
        Self { blobs }
    }
}

#[async_trait]
impl Probe for StorageProbe {
    fn component(&self) -> &'static str {
        "storage"
    }

    async fn check(&self) -> ComponentHealth {
        match self.blobs.check().await {
            Ok(()) => ComponentHealth::new(HealthStatus::Healthy, "the object store takes writes"),
            Err(BlobError::Full) => {
                ComponentHealth::new(HealthStatus::Critical, "the object store is full; add room")
            }
            Err(BlobError::Io(error)) => {
                let text = format!("the object store takes no writes: {error}");
                ComponentHealth::new(HealthStatus::Critical, text)
            }
        }
    }
}
