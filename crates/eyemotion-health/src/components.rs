use crate::service::{ComponentReport, Health, Report};
use async_trait::async_trait;
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A component that says nothing for so long is in trouble, whatever it would say.
const LIMIT: Duration = Duration::from_secs(2);

/// [`Health`] over the components' own probes.
pub struct Components {
    probes: Vec<Arc<dyn Probe>>,
    started: Instant,
}

impl Components {
    /// Over these probes; the server's uptime counts from here.
    pub fn new(probes: Vec<Arc<dyn Probe>>) -> Self {
        Self {
            probes,
            started: Instant::now(),
        }
    }
}

#[async_trait]
impl Health for Components {
    async fn check(&self) -> Report {
        let asked = self
            .probes
            .iter()
            .map(|probe| async { (probe.component(), ask(probe.as_ref()).await) });
        let components: std::collections::BTreeMap<_, _> =
            join_all(asked).await.into_iter().collect();
        let counted = components.values().map(|report| report.status);
        let worst = counted
            .filter(|status| *status != HealthStatus::Disabled)
            .max();
        Report {
            status: worst.unwrap_or(HealthStatus::Healthy),
            components,
        }
    }

    async fn component(&self, name: &str) -> Option<ComponentReport> {
        let probe = self.probes.iter().find(|probe| probe.component() == name)?;
        Some(ask(probe.as_ref()).await)
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

async fn ask(probe: &dyn Probe) -> ComponentReport {
    let asked = Instant::now();
    let health = tokio::time::timeout(LIMIT, probe.check())
        .await
        .unwrap_or_else(|_| {
            let message = format!("no answer within {} s", LIMIT.as_secs());
            ComponentHealth::new(HealthStatus::Critical, message)
        });
    ComponentReport {
        status: health.status,
        message: health.message,
        latency: asked.elapsed(),
        details: health.details,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(&'static str, HealthStatus);

    #[async_trait]
    impl Probe for Fixed {
        fn component(&self) -> &'static str {
            self.0
        }
        async fn check(&self) -> ComponentHealth {
            ComponentHealth::new(self.1, "")
        }
    }

    struct Stuck;

    #[async_trait]
    impl Probe for Stuck {
        fn component(&self) -> &'static str {
            "stuck"
        }
        async fn check(&self) -> ComponentHealth {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn the_worst_counts_and_the_disabled_does_not() {
        let of = async |probes: Vec<Arc<dyn Probe>>| Components::new(probes).check().await.status;
        let healthy = || Arc::new(Fixed("a", HealthStatus::Healthy)) as Arc<dyn Probe>;
        let disabled = || Arc::new(Fixed("b", HealthStatus::Disabled)) as Arc<dyn Probe>;
        let warning = || Arc::new(Fixed("c", HealthStatus::Warning)) as Arc<dyn Probe>;
        assert_eq!(of(vec![healthy(), disabled()]).await, HealthStatus::Healthy);
        assert_eq!(
            of(vec![healthy(), warning(), disabled()]).await,
            HealthStatus::Warning
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_is_critical_and_holds_nobody_up() {
        let health = Components::new(vec![
            Arc::new(Stuck),
            Arc::new(Fixed("a", HealthStatus::Healthy)),
        ]);
        let report = health.check().await;
        assert_eq!(report.status, HealthStatus::Critical);
        assert_eq!(report.components["a"].status, HealthStatus::Healthy);
        assert!(health.component("nothing").await.is_none());
    }
}
