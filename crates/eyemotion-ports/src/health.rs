use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};

/// How a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Works.
    Healthy,
    /// Not configured, so not used.
    Disabled,
    /// Works, and somebody should look.
    Warning,
    /// Does not work.
    Critical,
}

/// What a component says of itself.
#[derive(Clone, Debug)]
pub struct ComponentHealth {
    /// How it is.
    pub status: HealthStatus,
    /// Why, and what to do about it.
    pub message: String,
    /// Figures for operators.
    pub details: Map<String, Value>,
}

impl ComponentHealth {
    /// `status` for this reason.
    pub fn new(status: HealthStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Map::new(),
        }
    }
}

/// Asked by the health service, answered by each component for itself.
#[async_trait]
pub trait Probe: Send + Sync {
    /// The component's name: `database`, `storage` ...
    fn component(&self) -> &'static str;

    /// Looks at itself. The caller limits the time.
    async fn check(&self) -> ComponentHealth;
}
