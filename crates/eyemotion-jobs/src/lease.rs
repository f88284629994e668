use crate::Attempt;
use crate::execute::Executor;
use crate::repository::claims;
use eyemotion_db::DbError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// The jobs that this process works on: their leases are renewed, their handlers can be cut off.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Table>);

#[derive(Default)]
struct Table {
    held: HashMap<(Uuid, i32), Entry>,
    closed: bool,
}

struct Entry {
    attempt: Arc<Attempt>,
    handler: Option<AbortHandle>,
}

/// In the table until dropped.
pub(crate) struct Held<'a> {
    leases: &'a Leases,
    key: (Uuid, i32),
}

impl Leases {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hold(&self, attempt: &Arc<Attempt>) -> Held<'_> {
        let key = (attempt.id, attempt.number);
        let entry = Entry {
            attempt: Arc::clone(attempt),
            handler: None,
        };
        self.table().held.insert(key, entry);
        Held { leases: self, key }
    }

    /// Cuts off every handler, also those that are only about to start.
    pub(crate) fn cut_off(&self) {
        let mut table = self.table();
        table.closed = true;
        for handler in table
            .held
            .values()
            .filter_map(|entry| entry.handler.as_ref())
        {
            handler.abort();
        }
    }

    fn ids(&self) -> Vec<Uuid> {
        self.table().held.keys().map(|(id, _)| *id).collect()
    }

    /// Cuts off what was held when `asked` was made and is not in `still`.
    fn cut_off_lost(&self, asked: &[Uuid], still: &[(Uuid, i32)]) {
        for (key, entry) in &self.table().held {
            if asked.contains(&key.0) && !still.contains(key) && !entry.attempt.is_completing() {
                tracing::warn!(id = %key.0, attempt = key.1, "the lease is lost");
                if let Some(handler) = &entry.handler {
                    handler.abort();
                }
            }
        }
    }
}

impl Held<'_> {
    pub(crate) fn runs_as(&self, handler: AbortHandle) {
        let mut table = self.leases.table();
        if table.closed {
            handler.abort();
        }
        if let Some(entry) = table.held.get_mut(&self.key) {
            entry.handler = Some(handler);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.leases.table().held.remove(&self.key);
    }
}

/// Renews the leases, for ever.
pub(crate) async fn keep(executor: Arc<Executor>) {
    let period = (executor.lease / 3).max(Duration::from_millis(1));
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = renew(&executor).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot renew the leases");
        }
    }
}

async fn renew(executor: &Executor) -> Result<(), DbError> {
    let ids = executor.leases.ids();
    if ids.is_empty() {
        return Ok(());
    }
    let mut tx = executor.db.begin(&executor.ctx).await?;
    claims::renew(
        &mut tx,
        &executor.worker,
        &ids,
        executor.after(executor.lease),
    )
    .await?;
    let still = claims::held(&mut tx, &executor.worker, &ids).await?;
    tx.commit().await?;
    executor.leases.cut_off_lost(&ids, &still);
    Ok(())
}
