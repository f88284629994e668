use crate::execute::Executor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};

/// Jobs claimed at once, at most.
const BATCH: usize = 32;

/// A queue as one process works on it.
pub(crate) struct Queue {
    pub name: &'static str,
    /// Only what this process has handlers for is claimed: another one may be newer.
    pub kinds: Vec<&'static str>,
    pub concurrency: u16,
    pub owner_limit: Option<u32>,
    pub slots: Arc<Semaphore>,
    pub wake: Notify,
}

impl Queue {
    pub(crate) fn new(
        name: &'static str,
        kinds: Vec<&'static str>,
        concurrency: u16,
        owner_limit: Option<u32>,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(usize::from(concurrency)));
        Self {
            name,
            kinds,
            concurrency,
            owner_limit,
            slots,
            wake: Notify::new(),
        }
    }

    /// Until no job of this queue runs here any more.
    pub(crate) async fn idle(&self) {
        // Closed is never.
        let _all = self.slots.acquire_many(u32::from(self.concurrency)).await;
    }
}

/// Claims jobs whenever there is a free slot and a reason to look, until told to stop.
pub(crate) async fn dispatch(
    executor: Arc<Executor>,
    queue: Arc<Queue>,
    mut stop: watch::Receiver<bool>,
    poll: Duration,
) {
    loop {
        let slot = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            slot = Arc::clone(&queue.slots).acquire_owned() => slot,
        };
        let Ok(slot) = slot else { return };
        let mut slots = vec![slot];
        while slots.len() < BATCH
            && let Ok(slot) = Arc::clone(&queue.slots).try_acquire_owned()
        {
            slots.push(slot);
        }
        match executor.claim(&queue, slots.len()).await {
            Ok(claimed) if claimed.is_empty() => drop(slots),
            Ok(claimed) => {
                for (row, slot) in claimed.into_iter().zip(slots) {
                    let work = Arc::clone(&executor).execute(Arc::clone(&queue), row, slot);
                    tokio::spawn(work);
                }
                continue;
            }
            Err(error) => {
                drop(slots);
                tracing::warn!(
                    queue = queue.name,
                    error = &error as &dyn std::error::Error,
                    "cannot claim jobs"
                );
            }
        }
        tokio::select! {
            () = queue.wake.notified() => {}
            () = tokio::time::sleep(poll) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
