use crate::dispatch::{Queue, dispatch};
use crate::execute::{Executor, Kind};
use crate::handler::Typed;
use crate::running::{RunningWorkers, Tasks};
use crate::schedule::{self, InvalidSchedule, Schedule};
use crate::{Handler, Job, lease, wake};
use eyemotion_core::Clock;
use eyemotion_db::Db;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// What a process works on. Any number of processes may do so on one database.
pub struct Workers {
    db: Db,
    clock: Arc<dyn Clock>,
    kinds: BTreeMap<&'static str, Kind>,
    schedules: Vec<Result<Schedule, InvalidSchedule>>,
    concurrency: u16,
    queues: BTreeMap<&'static str, u16>,
    owner_limits: BTreeMap<&'static str, u32>,
    lease: Duration,
    poll: Duration,
}

impl Workers {
    /// Nothing registered; four jobs of each queue at once, a lease of 60 s, a poll every 5 s.
    pub fn builder(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self {
            db,
            clock,
            kinds: BTreeMap::new(),
            schedules: Vec::new(),
            concurrency: 4,
            queues: BTreeMap::new(),
            owner_limits: BTreeMap::new(),
            lease: Duration::from_mins(1),
            poll: Duration::from_secs(5),
        }
    }

    /// Does jobs of type `J` with `handler`. A second handler for one kind replaces the first.
    #[must_use]
    pub fn register<J: Job>(mut self, handler: impl Handler<J>) -> Self {
        let handler = Box::new(Typed(handler, PhantomData::<fn() -> J>));
        self.kinds.insert(
            J::KIND,
            Kind {
                queue: J::QUEUE,
                timeout: J::TIMEOUT,
                handler,
            },
        );
        self
    }

    /// Enqueues `job` at each tick of a cron expression: minute, hour, day of month, month, day of
    /// week, in UTC. Any number of processes with this schedule enqueue each tick once, and ticks
    /// that all of them missed become one. `name` is the schedule's identity, 1 to 100 characters.
    #[must_use]
    pub fn schedule<J: Job>(mut self, name: &'static str, cron: &'static str, job: &J) -> Self {
        self.schedules.push(Schedule::new(name, cron, job));
        self
    }

    /// Jobs at once in each queue that [`Workers::queue`] does not name.
    #[must_use]
    pub fn concurrency(self, jobs: u16) -> Self {
        Self {
            concurrency: jobs,
            ..self
        }
    }

    /// Jobs at once in this queue; with 0 this process leaves it to others.
    #[must_use]
    pub fn queue(mut self, name: &'static str, jobs: u16) -> Self {
        self.queues.insert(name, jobs);
        self
    }

    /// Jobs at once for one person in this queue, over all processes, so that nobody's hundred
    /// uploads hold up everybody else's one. Claims that race may overshoot by a few.
    #[must_use]
    pub fn owner_limit(mut self, queue: &'static str, jobs: u32) -> Self {
        self.owner_limits.insert(queue, jobs);
        self
    }

    /// How long the jobs of a worker that died wait for another one. Renewed three times as often.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// How often to look for work that no notification has announced: retries, schedules.
    #[must_use]
    pub fn poll(self, interval: Duration) -> Self {
        Self {
            poll: interval,
            ..self
        }
    }

    /// Starts to work, on the runtime of the caller.
    ///
    /// # Errors
    /// A cron expression that cannot be read.
    pub fn start(self) -> Result<RunningWorkers, InvalidSchedule> {
        let schedules = self.schedules.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut kinds_of: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for (name, kind) in &self.kinds {
            kinds_of.entry(kind.queue).or_default().push(name);
        }
        let queues: Vec<Arc<Queue>> = kinds_of
            .into_iter()
            .map(|(name, kinds)| {
                let jobs = self.queues.get(name).copied().unwrap_or(self.concurrency);
                Queue::new(name, kinds, jobs, self.owner_limits.get(name).copied())
            })
            .filter(|queue| queue.concurrency > 0)
            .map(Arc::new)
            .collect();
        let executor = Arc::new(Executor::new(self.db, self.clock, self.kinds, self.lease));

        let mut tasks = Tasks::default();
        for queue in &queues {
            let work = dispatch(
                Arc::clone(&executor),
                Arc::clone(queue),
                tasks.stop.subscribe(),
                self.poll,
            );
            tasks.dispatchers.spawn(work);
        }
        tasks.keepers.spawn(lease::keep(Arc::clone(&executor)));
        tasks
            .keepers
            .spawn(wake::listen(executor.db.clone(), queues.clone()));
        if !schedules.is_empty() {
            tasks
                .scheduler
                .spawn(schedule::tick(Arc::clone(&executor), schedules, self.poll));
        }
        tracing::info!(
            worker = executor.worker,
            queues = ?queues.iter().map(|queue| (queue.name, queue.concurrency)).collect::<Vec<_>>(),
            "working on jobs"
        );
        Ok(RunningWorkers::new(executor, queues, tasks))
    }
}
