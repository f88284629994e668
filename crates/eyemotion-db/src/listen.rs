use crate::connect::{Connector, reason};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Client};

/// The first wait before connecting anew; it doubles while that fails, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// How long the server may take for a sign of life.
const PATIENCE: Duration = Duration::from_secs(10);

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
        let ear = sender.clone();
        let task = tokio::spawn(async move { run(connector, channels, &ear).await });
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

/// Who hears what a listening connection says. All of it is called in the order of events.
pub(crate) trait Ear: Send + Sync + 'static {
    /// How often to ask the server for a sign of life. A connection that a firewall has forgotten
    /// looks alive to who only listens.
    const PULSE: Duration;

    /// Something was said.
    fn hear(&self, notification: Notification);

    /// Everything that was said before `since` has been heard.
    fn alive(&self, since: Instant);

    /// The connection has ended.
    fn lost(&self);
}

impl Ear for broadcast::Sender<Notification> {
    const PULSE: Duration = Duration::from_secs(10);

    fn hear(&self, notification: Notification) {
        // No receiver is no fault: nobody waits just now.
        drop(self.send(notification));
    }

    fn alive(&self, _: Instant) {}

    fn lost(&self) {}
}

/// Listens on `channels` for ever.
pub(crate) async fn run<E: Ear>(connector: Arc<Connector>, channels: &[&str], ear: &E) {
    let listen: Vec<_> = channels
        .iter()
        .map(|channel| format!("LISTEN \"{channel}\""))
        .collect();
    let listen = listen.join("; ");
    let mut pause = PAUSE;
    loop {
        match session(&connector, &listen, ear).await {
            Heard::Something(ended) => {
                ear.lost();
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
async fn session<E: Ear>(connector: &Connector, listen: &str, ear: &E) -> Heard {
    let (client, mut connection) = match connector.connect_raw().await {
        Ok(connected) => connected,
        Err(error) => return Heard::Nothing(error.to_string()),
    };
    let messages = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notification(heard)) => ear.hear(Notification::Message {
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
    let asked = Instant::now();
    let listening = tokio::select! {
        listening = client.batch_execute(listen) => listening,
        ended = &mut messages => return Heard::Nothing(ended),
    };
    if let Err(error) = listening {
        return Heard::Nothing(reason(&error));
    }
    ear.hear(Notification::Reconnected);
    ear.alive(asked);
    let ended = tokio::select! {
        ended = messages => ended,
        ended = feel_pulse(&client, listen, ear) => ended,
    };
    Heard::Something(ended)
}

/// Asks for signs of life until there is none. LISTEN again is the cheapest question: it changes
/// nothing, and who looks at the server's activity still sees what the connection is for.
async fn feel_pulse<E: Ear>(client: &Client, listen: &str, ear: &E) -> String {
    loop {
        tokio::time::sleep(E::PULSE).await;
        let asked = Instant::now();
        match tokio::time::timeout(PATIENCE, client.batch_execute(listen)).await {
            Ok(Ok(())) => ear.alive(asked),
            Ok(Err(error)) => return reason(&error),
            Err(_elapsed) => return "the server does not answer".to_owned(),
        }
    }
}
