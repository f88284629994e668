use crate::cli::{BillingAction, EventsAction, EventsFilter};
use crate::database::Database;
use crate::{Failure, output};
use eyemotion_billing::{EventFilter, ReconcileScope, Webhooks};
use eyemotion_core::Ctx;
use gateway::config::Settings;
use serde_json::json;
use std::fmt::Write;

/// `billing events list`, `billing events replay`, `billing reconcile` and `billing analytics`.
pub async fn run(settings: &Settings, action: BillingAction) -> Result<(), Failure> {
    let database = Database::open(settings).await?;
    let done = Box::pin(act(settings, &database, action)).await;
    database.close().await?;
    done
}

async fn act(
    settings: &Settings,
    database: &Database,
    action: BillingAction,
) -> Result<(), Failure> {
    eyemotion_db::migrate(&database.config)
        .await
        .map_err(Failure::new)?;
    let webhooks = gateway::webhooks(settings, &database.config).map_err(Failure::new)?;
    let ctx = Ctx::system("command line");
    match action {
        BillingAction::Events {
            action: EventsAction::List { filter, limit },
        } => {
            let events = webhooks.events(&ctx, &filter.into(), limit).await;
            let mut lines = String::new();
            for event in events.map_err(Failure::new)? {
                let line = json!({
                    "id": event.id, "type": event.kind, "status": event.status,
                    "objectType": event.object_type, "objectId": event.object_id,
                    "source": event.source, "attempts": event.attempts, "error": event.last_error,
                    "occurredAt": event.occurred_at, "receivedAt": event.received_at,
                    "processedAt": event.processed_at,
                });
                // Writing into a String cannot fail.
                let _ = writeln!(lines, "{line}");
            }
            output::print(&lines)
        }
        BillingAction::Events {
            action: EventsAction::Replay { filter },
        } => {
            if filter.is_empty() {
                let advice = "say which: --id, --type, --since or --dead";
                return Err(Failure::new(advice));
            }
            let count = webhooks.replay(&ctx, &filter.into()).await;
            let count = count.map_err(Failure::new)?;
            output::print(&format!("{count} events are queued again\n"))
        }
        BillingAction::Analytics { action } => crate::analytics::run(database, action).await,
        BillingAction::Reconcile { full } => {
            let scope = if full {
                ReconcileScope::Full
            } else {
                ReconcileScope::Recent
            };
            let report = webhooks
                .reconcile(&ctx, scope)
                .await
                .map_err(Failure::new)?;
            let text = serde_json::to_string_pretty(&report).map_err(Failure::new)?;
            output::print(&(text + "\n"))?;
            if report.has_drift() {
                let (healed, failed) = (report.differences.len(), report.failures.len());
                return Err(Failure::new(format!(
                    "{healed} rows differed and are healed, {failed} objects could not be followed"
                )));
            }
            Ok(())
        }
    }
}

impl EventsFilter {
    fn is_empty(&self) -> bool {
        self.id.is_none() && self.kind.is_none() && self.since.is_none() && !self.dead
    }
}

impl From<EventsFilter> for EventFilter {
    fn from(filter: EventsFilter) -> Self {
        Self {
            id: filter.id,
            kind: filter.kind,
            since: filter.since,
            dead: filter.dead,
        }
    }
}
