use crate::repository::outbox;
use crate::transport::Transport;
use async_trait::async_trait;
use chrono::TimeDelta;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::{Db, DbError};
use eyemotion_ports::{ComponentHealth, HealthStatus, Probe};
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A relay is asked at most this often, whoever asks us: reports are public.
const ASKED_EVERY: Duration = Duration::from_secs(30);
/// Less than the health service waits.
const PATIENCE: Duration = Duration::from_millis(1500);
/// A mail that has waited so long is late.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// And so long: people are waiting in vain.
const STUCK: TimeDelta = TimeDelta::hours(1);

/// Whether mail leaves: the relay answers, and the outbox does not age.
pub struct MailProbe {
    db: Db,
    clock: Arc<dyn Clock>,
    transport: Arc<dyn Transport>,
    last: Mutex<Option<(Instant, Relay)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relay {
    NotConfigured,
    Answers,
    Silent,
}

impl MailProbe {
    /// Of this outbox and the way its mails take.
    pub fn new(db: Db, clock: Arc<dyn Clock>, transport: Arc<dyn Transport>) -> Self {
        Self {
            db,
            clock,
            transport,
            last: Mutex::new(None),
        }
    }

    async fn relay(&self) -> Relay {
        let mut last = self.last.lock().await;
        match *last {
            Some((asked, relay)) if asked.elapsed() < ASKED_EVERY => return relay,
            _ => {}
        }
        let relay = match tokio::time::timeout(PATIENCE, self.transport.check()).await {
            Ok(None) => Relay::NotConfigured,
            Ok(Some(Ok(()))) => Relay::Answers,
            Ok(Some(Err(error))) => {
                let cause: &dyn std::error::Error = &error;
                tracing::warn!(error = cause, "the mail relay does not answer");
                Relay::Silent
            }
            Err(_) => Relay::Silent,
        };
        *last = Some((Instant::now(), relay));
        relay
    }

    async fn outbox(&self) -> Result<(i64, TimeDelta, i64), DbError> {
        let now = self.clock.now();
        let mut tx = self.db.read(&Ctx::system("health")).await?;
        let backlog = outbox::backlog(&mut tx).await?;
        let failures = outbox::failures(&mut tx, now - TimeDelta::days(1)).await?;
        let age = backlog
            .oldest
            .map_or(TimeDelta::zero(), |oldest| now - oldest);
        Ok((backlog.queued, age, failures))
    }
}

#[async_trait]
impl Probe for MailProbe {
    fn component(&self) -> &'static str {
        "mail"
    }

    async fn check(&self) -> ComponentHealth {
        let relay = self.relay().await;
        if relay == Relay::NotConfigured {
            let message = "SMTP_URL is not set: mails are laid into the folder mailbox";
            return ComponentHealth::new(HealthStatus::Disabled, message);
        }
        let Ok((queued, age, failures)) = self.outbox().await else {
            return ComponentHealth::new(HealthStatus::Warning, "the outbox cannot be read");
        };
        let (status, message) = match relay {
            Relay::Silent => (
                HealthStatus::Critical,
                "the relay does not answer: check SMTP_URL; mails wait in the outbox",
            ),
            _ if age >= STUCK => (
                HealthStatus::Critical,
                "mails have waited for an hour: look at the log and the dead letters",
            ),
            _ if age >= LATE => (
                HealthStatus::Warning,
                "mails are late: is a process working on jobs?",
            ),
            _ => (HealthStatus::Healthy, "the relay answers"),
        };
        let mut health = ComponentHealth::new(status, message);
        health.details = Map::from_iter([
            ("queued".to_owned(), json!(queued)),
            ("oldestSeconds".to_owned(), json!(age.num_seconds())),
            ("failedLastDay".to_owned(), json!(failures)),
        ]);
        health
    }
}
