use crate::connect::{Connector, reason};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_postgres::AsyncMessage;

/// The first wait before connecting anew; it doubles while that fails, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Something happened on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// `NOTIFY channel, payload`.
    Message {
        /// The channel's name.
        channel: String,
        /// What was sent with it, at most 8000 bytes.
        payload: String,
    },
    /// Listening begins, for the first time or after the connection was lost: what was sent
    /// before is unknown, so caches are to be flushed and states to be read again.
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
    channels: &[&str],
    sender: broadcast::Sender<Notification>,
) {
    let listen: Vec<_> = channels
        .iter()
        .map(|channel| format!("LISTEN \"{channel}\""))
        .collect();
    let listen = listen.join("; ");
    let mut pause = PAUSE;
    loop {
        match session(&connector, &listen, &sender).await {
            Heard::Something(ended) => {
                pause = PAUSE;
                tracing::warn!(reason = ended, "the listening connection broke");
            }
            Heard::Nothing(error) => {
                tracing::warn!(error, "cannot listen for notifications");
            }
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Why a connection ended, and whether it had listened.
enum Heard {
    Something(String),
    Nothing(String),
}

/// One connection from its beginning to its end.
async fn session(
    connector: &Connector,
    listen: &str,
    sender: &broadcast::Sender<Notification>,
) -> Heard {
    let (client, mut connection) = match connector.connect_raw().await {
        Ok(connected) => connected,
        Err(error) => return Heard::Nothing(error.to_string()),
    };
    // No receiver is no fault: nobody waits just now.
    let tell = |notification| drop(sender.send(notification));
    let messages = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notification(heard)) => tell(Notification::Message {
                    channel: heard.channel().to_owned(),
                    payload: heard.payload().to_owned(),
                }),
                Ok(_) => {}
                Err(error) => return reason(&error),
            }
        }
        "the server ended it".to_owned()
    };
    tokio::pin!(messages);
    let listening = tokio::select! {
        listening = client.batch_execute(listen) => listening,
        ended = &mut messages => return Heard::Nothing(ended),
    };
    match listening {
        Ok(()) => {
            tell(Notification::Reconnected);
            Heard::Something(messages.await)
        }
        Err(error) => Heard::Nothing(reason(&error)),
    }
}
