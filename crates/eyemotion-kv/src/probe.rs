use crate::flags::FLAGS_KEY;
use crate::model::DEFAULT_NAMESPACE;
use crate::store::KvStore;
use async_trait::async_trait;
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use std::sync::Arc;

/// Whether the store's table answers.
pub struct KvProbe(Arc<KvStore>);

impl KvProbe {
    /// Of this store.
    pub fn new(store: Arc<KvStore>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Probe for KvProbe {
    fn component(&self) -> &'static str {
        "kv_store"
    }

    async fn check(&self) -> ComponentHealth {
        match self.0.find(DEFAULT_NAMESPACE, FLAGS_KEY).await {
            Ok(_) => ComponentHealth::new(HealthStatus::Healthy, "answers"),
            Err(_) => ComponentHealth::new(
                HealthStatus::Critical,
                "does not answer: see the component database",
            ),
        }
    }
}
