//! Threads that do nothing but hash passwords: as many as there are permits, each with its memory.
//!
//! They take their work from one queue and need nobody to hand it to them, so every permit is at
//! work while somebody waits, however busy the runtime is. A thread without work ends and gives
//! back its memory.

use argon2::Block;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a thread keeps its memory and waits for more work.
const LINGER: Duration = Duration::from_secs(1);

/// All threads are at work and as many wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The memory of one hash after the other. Taking it anew each time would cost a page fault for
/// every 4 KiB.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    /// As many blocks, with whatever the last hash has left in them.
    pub(crate) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() != count {
            self.0 = vec![Block::new(); count];
        }
        &mut self.0
    }
}

/// A bounded queue and its threads.
pub(crate) struct HashPool {
    shared: Arc<Shared>,
    threads: usize,
    queue: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Work has come, or an end.
    change: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Job>>,
    /// Threads that there are.
    threads: usize,
    /// Those of them that are at work.
    busy: usize,
    closed: bool,
}

trait Job: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    fn work(&mut self, memory: &mut Memory);
    fn answer(self: Box<Self>);
}

struct Task<W, T> {
    work: Option<W>,
    result: Option<T>,
    answer: oneshot::Sender<T>,
}

impl<W, T> Job for Task<W, T>
where
    W: FnOnce(&mut Memory) -> T + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn work(&mut self, memory: &mut Memory) {
        self.result = self.work.take().map(|work| work(memory));
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // Who has left does not want to know.
            let _ = self.answer.send(result);
        }
    }
}

impl HashPool {
    /// `threads` at once and `queue` waiting.
    pub(crate) fn new(threads: usize, queue: usize) -> Self {
        Self {
            shared: Arc::default(),
            threads: threads.max(1),
            queue,
        }
    }

    /// Has `work` done. Dropping the receiver takes it out of the queue; what has been begun is
    /// brought to its end.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Full> {
        let places = self.threads.saturating_add(self.queue);
        let (answer, result) = oneshot::channel();
        let mut state = self.shared.lock();
        if state.waiting.len() + state.busy >= places {
            state.waiting.retain(|job| !job.is_abandoned());
        }
        if state.waiting.len() + state.busy >= places {
            return Err(Full);
        }
        if state.busy + state.waiting.len() >= state.threads && state.threads < self.threads {
            self.start()?;
            state.threads += 1;
        }
        state.waiting.push_back(Box::new(Task {
            work: Some(work),
            result: None,
            answer,
        }));
        drop(state);
        self.shared.change.notify_one();
        Ok(result)
    }

    fn start(&self) -> Result<(), Full> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name("password-hash".to_owned());
        match thread.spawn(move || shared.work()) {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "cannot start a thread for passwords");
                Err(Full)
            }
        }
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.change.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does.
    fn work(&self) {
        let mut memory = Memory::default();
        while let Some(mut job) = self.next() {
            // A panic is told to who waits, by no answer, and the thread goes on.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| job.work(&mut memory)));
            self.lock().busy -= 1;
            job.answer();
        }
    }

    /// The next in line; none, and the thread is not counted any more, after some time without any.
    fn next(&self) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            while let Some(job) = state.waiting.pop_front() {
                if !job.is_abandoned() {
                    state.busy += 1;
                    return Some(job);
                }
            }
            if waited || state.closed {
                state.threads -= 1;
                return None;
            }
            let result = self.change.wait_timeout(state, LINGER);
            let timeout;
            (state, timeout) = result.unwrap_or_else(PoisonError::into_inner);
            waited = timeout.timed_out();
        }
    }
}
