use crate::service::{ComponentReport, Health, Report};
use async_trait::async_trait;
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer is shared: whoever asks more often does not make a component work for it.
const SHARED: Duration = Duration::from_secs(1);
/// A component that says nothing for so long is in trouble, whatever it would say.
const LIMIT: Duration = Duration::from_secs(2);

/// [`Health`] over the components' own probes.
pub struct Components {
    watched: Vec<Watched>,
    started: Instant,
}

struct Watched {
    probe: Arc<dyn Probe>,
    /// The last answer and when it was asked for. Locked while a new one is on its way.
    last: Mutex<Option<(Instant, ComponentReport)>>,
}

impl Components {
    /// Over these probes; the server's uptime counts from here.
    pub fn new(probes: Vec<Arc<dyn Probe>>) -> Self {
        let watched = probes.into_iter().map(|probe| Watched {
            probe,
            last: Mutex::default(),
        });
        Self {
            watched: watched.collect(),
            started: Instant::now(),
        }
    }
}

#[async_trait]
impl Health for Components {
    async fn check(&self) -> Report {
        let asked = self
            .watched
            .iter()
            .map(|watched| async { (watched.probe.component(), watched.ask().await) });
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
        let mut all = self.watched.iter();
        let watched = all.find(|watched| watched.probe.component() == name)?;
        Some(watched.ask().await)
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Watched {
    async fn ask(&self) -> ComponentReport {
        let mut last = self.last.lock().await;
        if let Some((asked, report)) = last.as_ref()
            && asked.elapsed() < SHARED
        {
            return report.clone();
        }
        let asked = Instant::now();
        let health = tokio::time::timeout(LIMIT, self.probe.check())
            .await
            .unwrap_or_else(|_| {
                let message = format!("no answer within {} s", LIMIT.as_secs());
                ComponentHealth::new(HealthStatus::Critical, message)
            });
        let report = ComponentReport {
            status: health.status,
            message: health.message,
            latency: asked.elapsed(),
            details: health.details,
        };
        *last = Some((asked, report.clone()));
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    #[derive(Default)]
    struct Counted(AtomicUsize);

    #[async_trait]
    impl Probe for Counted {
        fn component(&self) -> &'static str {
            "counted"
        }
        async fn check(&self) -> ComponentHealth {
            let times = self.0.fetch_add(1, Ordering::Relaxed);
            ComponentHealth::new(HealthStatus::Healthy, times.to_string())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_shared_for_a_second() {
        let health = Components::new(vec![Arc::new(Counted::default())]);
        let said = async || health.component("counted").await.unwrap().message;
        assert_eq!((said().await, said().await), ("0".into(), "0".into()));
        tokio::time::advance(SHARED).await;
        assert_eq!(said().await, "1");
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
