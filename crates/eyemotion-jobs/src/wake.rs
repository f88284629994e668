use crate::dispatch::Queue;
use eyemotion_db::{Db, Notification};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// Wakes the dispatchers when jobs are enqueued anywhere.
pub(crate) async fn listen(db: Db, queues: Vec<Arc<Queue>>) {
    let notifications = db.listen(&["jobs"]);
    let mut heard = notifications.subscribe();
    loop {
        let queue = match heard.recv().await {
            Ok(Notification::Message { payload, .. }) => Some(payload),
            Ok(Notification::Reconnected) | Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        for candidate in &queues {
            if queue.as_deref().is_none_or(|name| name == candidate.name) {
                candidate.wake.notify_one();
            }
        }
    }
}
