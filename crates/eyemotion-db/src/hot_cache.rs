use crate::changes::{Changes, Listening};
use moka::sync::Cache;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How much a [`HotCache`] keeps, and for how long at most.
#[derive(Clone, Copy, Debug)]
pub struct HotCacheConfig {
    /// Values at most; the least used go.
    pub capacity: u64,
    /// The net below the notifications: no value is served longer.
    pub ttl: Duration,
}

impl Default for HotCacheConfig {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            ttl: Duration::from_secs(30),
        }
    }
}

/// Values that are read often, kept in memory and dropped as soon as they change.
///
/// What [`get`](Self::get) answers was read from the database after every change that this process
/// had committed before, and is never older than one second as to changes made elsewhere: it is
/// forgotten when [`Changes`] tells of them, and while those cannot be heard, all reads go to the
/// database. Cheap to clone; the clones are one cache.
///
/// Values are shared by all callers, so `load` must not depend on who asks. Take an
/// [`Arc`] for a value that is large.
pub struct HotCache<K, V>(Option<Shared<K, V>>);

struct Shared<K, V> {
    listening: Arc<Listening>,
    store: Arc<Store<K, V>>,
}

/// What is kept is not the value but a slot that its first reader fills. Forgetting removes the
/// slot, so what is still being loaded into it reaches those who already wait for it and nobody
/// after them.
struct Store<K, V> {
    slots: Cache<K, Arc<Slot<V>>>,
    /// Another one whenever everything is forgotten.
    epoch: AtomicU64,
    adding: Mutex<()>,
}

struct Slot<V> {
    /// The era and the epoch in which it was made, before anything was read.
    made: (u64, u64),
    value: OnceCell<V>,
}

impl<K, V> Clone for HotCache<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.as_ref().map(|shared| Shared {
            listening: Arc::clone(&shared.listening),
            store: Arc::clone(&shared.store),
        }))
    }
}

impl<K, V> HotCache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache that forgets what `changes` says of `topic`. `key_of` reads the key in a change; none
    /// means that everything is to be forgotten. Off if `changes` are.
    pub fn new(
        changes: &Changes,
        topic: &'static str,
        config: HotCacheConfig,
        key_of: fn(&str) -> Option<K>,
    ) -> Self {
        let Some(listening) = changes.listening() else {
            return Self::off();
        };
        let store = Arc::new(Store {
            slots: Cache::builder()
                .max_capacity(config.capacity)
                .time_to_live(config.ttl)
                .build(),
            epoch: AtomicU64::new(0),
            adding: Mutex::default(),
        });
        let reader = Arc::downgrade(&store);
        let tell = move |change: Option<&str>| {
            let Some(store) = reader.upgrade() else {
                return;
            };
            match change.and_then(key_of) {
                Some(key) => store.forget(&key),
                None => store.forget_all(),
            }
        };
        listening.board().read(topic, Box::new(tell));
        Self(Some(Shared {
            listening: Arc::clone(listening),
            store,
        }))
    }

    /// Keeps nothing: each [`get`](Self::get) loads.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Whether anything may be kept now.
    pub fn keeps(&self) -> bool {
        let shared = self.0.as_ref();
        shared.is_some_and(|shared| shared.listening.board().era().is_some())
    }

    /// The value of `key`, from memory or from `load`. Of those who ask for the same key at once,
    /// one loads for all. A failure is kept by nobody, and the next in line tries again.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get<E>(&self, key: &K, load: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let slot = self.slot(key);
        if let Some(value) = slot.as_ref().and_then(|slot| slot.value.get()) {
            return Ok(value.clone());
        }
        // Boxed because it is rare and often large.
        let load = Box::pin(load);
        match slot {
            Some(slot) => slot.value.get_or_try_init(|| load).await.cloned(),
            None => load.await,
        }
    }

    /// Where the value is or will be; none if nothing may be kept now.
    fn slot(&self, key: &K) -> Option<Arc<Slot<V>>> {
        let shared = self.0.as_ref()?;
        let era = shared.listening.board().era()?;
        Some(shared.store.slot(key, era))
    }

    /// Drops the value of `key`. Whoever asks from now on gets what is read from now on. Changes
    /// that SQL announces need no call of this.
    pub fn forget(&self, key: &K) {
        if let Some(shared) = &self.0 {
            shared.store.forget(key);
        }
    }

    /// Drops everything, in the same sense.
    pub fn forget_all(&self) {
        if let Some(shared) = &self.0 {
            shared.store.forget_all();
        }
    }
}

impl<K, V> Store<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn slot(&self, key: &K, era: u64) -> Arc<Slot<V>> {
        let made = (era, self.epoch.load(Ordering::SeqCst));
        let current = || self.slots.get(key).filter(|slot| slot.made == made);
        if let Some(slot) = current() {
            return slot;
        }
        // Two at once must not make two slots: each would load.
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        current().unwrap_or_else(|| {
            let slot = Arc::new(Slot {
                made,
                value: OnceCell::new(),
            });
            self.slots.insert(key.clone(), Arc::clone(&slot));
            slot
        })
    }

    fn forget(&self, key: &K) {
        self.slots.invalidate(key);
    }

    fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.slots.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Board;
    use crate::listen::{Ear, Notification};
    use std::convert::Infallible;
    use std::sync::atomic::AtomicU32;
    use std::time::Instant;
    use tokio::sync::{Notify, oneshot};

    struct Stage {
        cache: HotCache<String, u32>,
        board: Arc<Board>,
        /// What the database holds.
        stored: AtomicU32,
        loads: AtomicU32,
    }

    impl Stage {
        fn set() -> Self {
            Self::with(HotCacheConfig::default())
        }

        fn with(config: HotCacheConfig) -> Self {
            let (changes, board) = Changes::played();
            let cache = HotCache::new(&changes, "topic", config, |key| Some(key.to_owned()));
            board.hear(Notification::Reconnected);
            board.alive(Instant::now() + Duration::from_hours(1));
            Self {
                cache,
                board,
                stored: AtomicU32::new(0),
                loads: AtomicU32::new(0),
            }
        }

        fn store(&self, value: u32) {
            self.stored.store(value, Ordering::SeqCst);
        }

        fn loads(&self) -> u32 {
            self.loads.load(Ordering::SeqCst)
        }

        async fn get(&self, key: &str) -> u32 {
            let load = async {
                self.loads.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(self.stored.load(Ordering::SeqCst))
            };
            self.cache.get(&key.to_owned(), load).await.unwrap()
        }
    }

    fn message(payload: &str) -> Notification {
        Notification::Message {
            channel: "changes".to_owned(),
            payload: payload.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_value_is_read_once_until_it_changes() {
        let stage = Stage::set();
        assert_eq!((stage.get("a").await, stage.get("a").await), (0, 0));
        assert_eq!((stage.get("b").await, stage.loads()), (0, 2));
        stage.store(1);
        for other in ["topic:b:", "topic2:a", "topi", "other:a", ""] {
            stage.board.hear(message(other));
            assert_eq!(stage.get("a").await, 0, "{other}");
        }
        stage.board.hear(message("topic:a"));
        assert_eq!((stage.get("a").await, stage.get("b").await), (1, 0));
    }

    #[tokio::test]
    async fn what_cannot_be_named_is_forgotten_as_a_whole() {
        let stage = Stage::set();
        for (value, everything) in (1..).zip(["topic", "*"]) {
            stage.get("a").await;
            stage.store(value);
            stage.board.hear(message(everything));
            assert_eq!(stage.get("a").await, value, "{everything}");
        }
        stage.store(10);
        stage.cache.forget_all();
        assert_eq!(stage.get("a").await, 10);
        stage.store(11);
        stage.cache.forget(&"b".to_owned());
        assert_eq!(stage.get("a").await, 10);
        stage.cache.forget(&"a".to_owned());
        assert_eq!(stage.get("a").await, 11);
    }

    #[tokio::test]
    async fn nothing_is_served_while_changes_may_go_unheard() {
        let stage = Stage::set();
        stage.get("a").await;
        stage.board.lost();
        stage.store(1);
        assert_eq!((stage.get("a").await, stage.get("a").await), (1, 1));
        assert_eq!(stage.loads(), 3);
        stage.store(2);
        stage.board.hear(Notification::Reconnected);
        stage.board.alive(Instant::now() + Duration::from_hours(1));
        assert_eq!((stage.get("a").await, stage.get("a").await), (2, 2));
        assert_eq!(stage.loads(), 4);
        // The last sign of life is a second old.
        stage
            .board
            .alive(Instant::now().checked_sub(Duration::from_secs(1)).unwrap());
        stage.store(3);
        assert_eq!(stage.get("a").await, 3);
    }

    #[tokio::test]
    async fn before_the_first_connection_nothing_is_kept() {
        let (changes, _board) = Changes::played();
        let config = HotCacheConfig::default();
        let cache = HotCache::new(&changes, "topic", config, |_| Some(()));
        for value in [1, 2] {
            let got = cache.get(&(), async { Ok::<_, Infallible>(value) }).await;
            assert_eq!(got, Ok(value));
        }
    }

    /// A load that has read the old value and is held up until after the change.
    #[tokio::test]
    async fn a_load_that_began_before_a_change_is_not_kept() {
        let forget_by: [fn(&Stage); 5] = [
            |stage| stage.board.hear(message("topic:a")),
            |stage| stage.board.hear(message("topic")),
            |stage| stage.cache.forget(&"a".to_owned()),
            |stage| stage.cache.forget_all(),
            |stage| {
                stage.board.lost();
                stage.board.hear(Notification::Reconnected);
                stage.board.alive(Instant::now() + Duration::from_hours(1));
            },
        ];
        for forget in forget_by {
            let stage = Arc::new(Stage::set());
            let (has_read, reading) = oneshot::channel();
            let (go_on, held_up) = oneshot::channel::<()>();
            let slow = {
                let stage = Arc::clone(&stage);
                tokio::spawn(async move {
                    let load = async {
                        let value = stage.stored.load(Ordering::SeqCst);
                        has_read.send(()).unwrap();
                        held_up.await.unwrap();
                        Ok::<_, Infallible>(value)
                    };
                    stage.cache.get(&"a".to_owned(), load).await
                })
            };
            reading.await.unwrap();
            stage.store(1);
            forget(&stage);
            // It neither waits for the slow one nor gets what that one has read.
            assert_eq!(stage.get("a").await, 1);
            go_on.send(()).unwrap();
            assert_eq!(slow.await.unwrap(), Ok(0));
            assert_eq!((stage.get("a").await, stage.loads()), (1, 1));
        }
    }

    #[tokio::test]
    async fn of_many_at_once_one_loads() {
        let stage = Arc::new(Stage::set());
        let gate = Arc::new(Notify::new());
        let ask = |_| {
            let (stage, gate) = (Arc::clone(&stage), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = async {
                    gate.notified().await;
                    stage.loads.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, Infallible>(7)
                };
                stage.cache.get(&"a".to_owned(), load).await
            })
        };
        let asking: Vec<_> = (0..50).map(ask).collect();
        gate.notify_one();
        for one in asking {
            assert_eq!(one.await.unwrap(), Ok(7));
        }
        assert_eq!(stage.loads(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_neither_is_a_load_that_is_dropped() {
        let stage = Stage::set();
        let key = "a".to_owned();
        let failed = stage.cache.get(&key, async { Err("no") }).await;
        assert_eq!(failed, Err("no"));
        let never = stage
            .cache
            .get(&key, std::future::pending::<Result<_, ()>>());
        assert!(tokio::time::timeout(Duration::ZERO, never).await.is_err());
        assert_eq!((stage.get("a").await, stage.loads()), (0, 1));
    }

    #[tokio::test]
    async fn it_is_bounded_in_number_and_in_time() {
        let stage = Stage::with(HotCacheConfig {
            capacity: 10,
            ttl: Duration::from_millis(20),
        });
        for key in 0..1000 {
            stage.get(&key.to_string()).await;
        }
        let store = &stage.cache.0.as_ref().unwrap().store;
        store.slots.run_pending_tasks();
        assert!(store.slots.entry_count() <= 10);
        stage.get("a").await;
        stage.store(1);
        while stage.get("a").await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn off_it_loads_each_time() {
        let cache = HotCache::new(&Changes::off(), "topic", HotCacheConfig::default(), |_| {
            Some(())
        });
        for value in [1, 2] {
            let got = cache.get(&(), async { Ok::<_, Infallible>(value) }).await;
            assert_eq!(got, Ok(value));
        }
    }
}
