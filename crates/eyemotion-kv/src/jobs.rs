use crate::service::KeyValue;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Forgets entries whose time is over. They have not been seen since; this gives their room back.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct SweepExpired {}

impl Job for SweepExpired {
    const KIND: &'static str = "kv.sweep_expired";
}

/// Does [`SweepExpired`], which wants to run every minute.
pub struct Sweeper(Arc<dyn KeyValue>);

impl Sweeper {
    /// Of this store.
    pub fn new(store: Arc<dyn KeyValue>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Handler<SweepExpired> for Sweeper {
    async fn run(&self, _: SweepExpired, _: &Attempt) -> Result<(), JobError> {
        let swept = self.0.sweep(&Ctx::system("kv")).await?;
        tracing::debug!(swept, "expired entries swept");
        Ok(())
    }
}
