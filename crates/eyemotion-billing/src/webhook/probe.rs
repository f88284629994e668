use crate::repository::events::{self, Backlog};
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::Db;
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use serde_json::{Map, json};
use std::sync::Arc;

/// An event that has waited so long is late.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// Whether what Stripe tells is worked on.
#[derive(Clone)]
pub struct PaymentsProbe {
    db: Db,
    clock: Arc<dyn Clock>,
    is_configured: bool,
}

impl PaymentsProbe {
    /// Of this database; without a key there is nothing to look at.
    pub fn new(db: Db, clock: Arc<dyn Clock>, is_configured: bool) -> Self {
        Self {
            db,
            clock,
            is_configured,
        }
    }

    async fn backlog(&self) -> Result<Backlog, eyemotion_db::DbError> {
        let mut tx = self.db.read(&Ctx::system("health")).await?;
        events::backlog(&mut tx).await
    }
}

#[async_trait]
impl Probe for PaymentsProbe {
    fn component(&self) -> &'static str {
        "payments"
    }

    async fn check(&self) -> ComponentHealth {
        if !self.is_configured {
            let message = "STRIPE_SECRET_KEY is not set: only the free plan can be had";
            return ComponentHealth::new(HealthStatus::Disabled, message);
        }
        let Ok(backlog) = self.backlog().await else {
            return ComponentHealth::new(HealthStatus::Warning, "the events cannot be read");
        };
        let age = backlog
            .oldest
            .map_or(TimeDelta::zero(), |oldest| self.clock.now() - oldest);
        let (status, message) = if backlog.failing > 0 {
            (
                HealthStatus::Warning,
                "events of Stripe cannot be worked on and wait: does Stripe answer? \
                 See 'eyemotion billing events list'",
            )
        } else if age >= LATE {
            (
                HealthStatus::Warning,
                "events of Stripe wait: is a process working on jobs?",
            )
        } else if backlog.dead > 0 {
            (
                HealthStatus::Warning,
                "events of Stripe were given up: see 'eyemotion billing events list --dead'",
            )
        } else {
            (HealthStatus::Healthy, "every event is done")
        };
        let mut health = ComponentHealth::new(status, message);
        health.details = Map::from_iter([
            ("waiting".to_owned(), json!(backlog.waiting)),
            ("failing".to_owned(), json!(backlog.failing)),
            ("oldestSeconds".to_owned(), json!(age.num_seconds().max(0))),
            ("dead".to_owned(), json!(backlog.dead)),
        ]);
        health
    }
}
