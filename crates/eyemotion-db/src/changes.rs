//! What was changed anywhere, told to the caches of this process.

use crate::connect::Connector;
use crate::listen::{self, Ear, Notification};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The one channel. A payload is `topic:key`, or `topic` when more of it changed than can be named.
const CHANNEL: &str = "changes";
/// Stands for every topic, where a transaction has changed too much to list.
const EVERYTHING: &str = "*";
/// How long after a proof that the listening connection works its silence still counts as news.
const TRUST: Duration = Duration::from_millis(900);

type Tell = Box<dyn Fn(Option<&str>) + Send + Sync>;

/// The changes that `public.announce_change(topic, key)` announces in SQL, from whichever process
/// they come. Cheap to clone; a [`HotCache`](crate::HotCache) is made from it.
///
/// A transaction of this process is heard before its [`commit`](crate::Tx::commit) returns; one of
/// another process as soon as PostgreSQL has passed it on. The listening connection is asked for a
/// sign of life several times a second, and 900 ms without one no cache is believed any more.
#[derive(Clone)]
pub struct Changes(Option<Arc<Listening>>);

impl Changes {
    /// Hears nothing: every cache that is made from it is off.
    pub const fn off() -> Self {
        Self(None)
    }

    pub(crate) fn start(connector: Arc<Connector>) -> Self {
        let board = Arc::new(Board::new());
        let ear = Arc::clone(&board);
        let task = tokio::spawn(async move { listen::run(connector, &[CHANNEL], &*ear).await });
        Self(Some(Arc::new(Listening { board, task })))
    }

    pub(crate) fn listening(&self) -> Option<&Arc<Listening>> {
        self.0.as_ref()
    }
}

/// The task that listens; it ends with the last cache.
pub(crate) struct Listening {
    board: Arc<Board>,
    task: tokio::task::JoinHandle<()>,
}

impl Listening {
    pub(crate) fn board(&self) -> &Board {
        &self.board
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where changes are posted, and for how long silence on it means that there are none.
pub(crate) struct Board {
    start: Instant,
    /// Another one after everything that may have gone unheard.
    era: AtomicU64,
    /// In microseconds after `start`.
    trusted_until: AtomicU64,
    readers: RwLock<Vec<(&'static str, Tell)>>,
}

impl Board {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            era: AtomicU64::new(0),
            trusted_until: AtomicU64::new(0),
            readers: RwLock::default(),
        }
    }

    /// Which era it is; none while changes may go unheard. What was read in another era is not to
    /// be believed.
    pub(crate) fn era(&self) -> Option<u64> {
        let trusted = self.micros(Instant::now()) < self.trusted_until.load(Ordering::SeqCst);
        trusted.then(|| self.era.load(Ordering::SeqCst))
    }

    /// From now on `tell` is called for each change of `topic`: with the key, or none for all.
    pub(crate) fn read(&self, topic: &'static str, tell: Tell) {
        let mut readers = self.readers.write().unwrap_or_else(PoisonError::into_inner);
        readers.push((topic, tell));
    }

    /// Tells the readers of `change`: a payload of the channel.
    pub(crate) fn post(&self, change: &str) {
        if change == EVERYTHING {
            self.new_era();
            return;
        }
        let (topic, key) = match change.split_once(':') {
            Some((topic, key)) => (topic, Some(key)),
            None => (change, None),
        };
        let readers = self.readers.read().unwrap_or_else(PoisonError::into_inner);
        for (_, tell) in readers.iter().filter(|(of, _)| *of == topic) {
            tell(key);
        }
    }

    fn new_era(&self) {
        self.era.fetch_add(1, Ordering::SeqCst);
    }

    fn micros(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

impl Ear for Board {
    const PULSE: Duration = Duration::from_millis(300);

    fn hear(&self, notification: Notification) {
        match notification {
            Notification::Message { payload, .. } => self.post(&payload),
            Notification::Reconnected => self.new_era(),
        }
    }

    fn alive(&self, since: Instant) {
        let until = self.micros(since + TRUST);
        self.trusted_until.store(until, Ordering::SeqCst);
    }

    fn lost(&self) {
        self.trusted_until.store(0, Ordering::SeqCst);
        self.new_era();
    }
}

#[cfg(test)]
impl Changes {
    /// Without a database: a test plays the connection.
    pub(crate) fn played() -> (Self, Arc<Board>) {
        let board = Arc::new(Board::new());
        let task = tokio::spawn(async {});
        let listening = Listening {
            board: Arc::clone(&board),
            task,
        };
        (Self(Some(Arc::new(listening))), board)
    }
}
