use crate::dispatch::Queue;
use crate::execute::{Executor, describe};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long handlers that were cut off have to notice it, and their outcome to be written down.
const GRACE: Duration = Duration::from_secs(5);

/// The tasks behind [`RunningWorkers`]; they end with it.
#[derive(Default)]
pub(crate) struct Tasks {
    pub stop: watch::Sender<bool>,
    pub dispatchers: JoinSet<()>,
    pub scheduler: JoinSet<()>,
    /// What running jobs need to the end.
    pub keepers: JoinSet<()>,
}

/// Workers at work. Dropped without [`RunningWorkers::drain`], they stop at once, and what they
/// were doing is taken up by others when its leases run out.
pub struct RunningWorkers {
    executor: Arc<Executor>,
    queues: Vec<Arc<Queue>>,
    tasks: Tasks,
}

impl RunningWorkers {
    pub(crate) fn new(executor: Arc<Executor>, queues: Vec<Arc<Queue>>, tasks: Tasks) -> Self {
        Self {
            executor,
            queues,
            tasks,
        }
    }

    /// For SIGTERM: claims nothing more, waits up to `timeout` for what is running, cuts off the
    /// rest and gives it back, to be run by others at once and without counting the attempt.
    /// Returns how many jobs were given back.
    pub async fn drain(mut self, timeout: Duration) -> usize {
        self.tasks.scheduler.abort_all();
        self.tasks.stop.send_replace(true);
        while self.tasks.dispatchers.join_next().await.is_some() {}
        if tokio::time::timeout(timeout, self.idle()).await.is_err() {
            self.executor.leases.cut_off();
            if tokio::time::timeout(GRACE, self.idle()).await.is_err() {
                tracing::warn!("some handlers do not stop; their writes will be refused");
            }
        }
        match self.executor.release().await {
            Ok(given_back) => {
                tracing::info!(given_back, "workers drained");
                given_back
            }
            Err(error) => {
                let error = describe(&error);
                tracing::warn!(error, "cannot give jobs back; their leases will run out");
                0
            }
        }
    }

    async fn idle(&self) {
        for queue in &self.queues {
            queue.idle().await;
        }
    }
}

impl Drop for RunningWorkers {
    fn drop(&mut self) {
        self.tasks.stop.send_replace(true);
        self.executor.leases.cut_off();
    }
}
