use crate::connect::Connector;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_postgres::AsyncMessage;

/// Something happened on a channel.
#[derive(Clone, Debug)]
pub enum Notification {
    /// `NOTIFY channel, payload`.
    Message {
        /// The channel's name.
        channel: String,
        /// What was sent with it, at most 8000 bytes.
        payload: String,
    },
    /// The connection was lost and is back: whatever was sent in between is unknown, so caches
    /// are to be flushed and states to be read again.
    Reconnected,
}

/// What `LISTEN` hears, for any number of receivers. Ends when dropped.
pub struct Notifications {
    sender: broadcast::Sender<Notification>,
    task: tokio::task::JoinHandle<()>,
}

impl Notifications {
    pub(crate) fn start(connector: Arc<Connector>, channels: &'static [&'static str]) -> Self {
        let (sender, _) = broadcast::channel(1024);
        let task = tokio::spawn(run(connector, channels, sender.clone()));
        Self { sender, task }
    }

    /// A receiver of everything from now on. One that lags behind is told so and should read the
    /// state again.
    pub fn subscribe(&self) -> broadcast::Receiver<Notification> {
        self.sender.subscribe()
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    connector: Arc<Connector>,
    channels: &'static [&'static str],
    sender: broadcast::Sender<Notification>,
) {
    let mut first = true;
    loop {
        match connector.connect_raw().await {
            Ok((client, mut connection)) => {
                let listen: String =
                    channels.iter().map(|channel| format!("LISTEN \"{channel}\";")).collect();
                let messages = async {
                    while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                        match message {
                            Ok(AsyncMessage::Notification(heard)) => {
                                // No receiver is no fault: nobody waits just now.
                                let _ = sender.send(Notification::Message {
                                    channel: heard.channel().to_owned(),
                                    payload: heard.payload().to_owned(),
                                });
                            }
                            Ok(_) => {}
                            Err(error) => {
                                tracing::warn!(%error, "the listening connection broke");
                                break;
                            }
                        }
                    }
                };
                let listening = async {
                    if client.batch_execute(&listen).await.is_ok() && !first {
                        let _ = sender.send(Notification::Reconnected);
                    }
                };
                tokio::join!(messages, listening);
                first = false;
            }
            Err(error) => tracing::warn!(%error, "cannot listen for notifications"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
