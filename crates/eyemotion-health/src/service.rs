//! The crate's public page.

use async_trait::async_trait;
use eyemotion_ports::HealthStatus;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// How everything is.
#[async_trait]
pub trait Health: Send + Sync {
    /// Asks every component.
    async fn check(&self) -> Report;

    /// Asks one component; none if there is no such component.
    async fn component(&self, name: &str) -> Option<ComponentReport>;

    /// How long the server has been running.
    fn uptime(&self) -> Duration;
}

/// How everything is.
#[derive(Clone, Debug)]
pub struct Report {
    /// The worst of the components; one that is disabled does not count.
    pub status: HealthStatus,
    /// Each by its name.
    pub components: BTreeMap<&'static str, ComponentReport>,
}

/// How one component is.
#[derive(Clone, Debug)]
pub struct ComponentReport {
    /// How it is.
    pub status: HealthStatus,
    /// Why, and what to do about it.
    pub message: String,
    /// How long the answer took.
    pub latency: Duration,
    /// Figures for operators.
    pub details: Map<String, Value>,
}
