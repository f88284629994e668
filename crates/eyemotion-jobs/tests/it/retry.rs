use crate::puppet::{Act, Puppet, Task};
use crate::world::{World, affect, eventually};
use async_trait::async_trait;
use eyemotion_core::Clock as _;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::mpsc;

#[tokio::test]
async fn a_failed_job_waits_up_to_its_backoff() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    for (number, ceiling) in [(1, Duration::from_secs(10)), (2, Duration::from_secs(20))] {
        let call = calls.next().await;
        assert_eq!(call.number, number);
        call.let_be(Act::Retry);
        let failed = world.until_state(id, "queued").await;
        assert_eq!(failed.last_error.as_deref(), Some("it failed"));
        assert!(failed.run_at - world.clock.now() <= chrono::Duration::from_std(ceiling).unwrap());
        world.advance(ceiling);
    }
    let call = calls.next().await;
    assert_eq!(call.number, 3);
    call.act(Act::Done).await.unwrap();
    world.until_gone(id).await;
}

#[tokio::test]
async fn a_job_is_not_run_before_its_time() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("later")).await;
    calls
        .next()
        .await
        .let_be(Act::Snooze(Duration::from_hours(1)));
    let snoozed = world.until_state(id, "queued").await;
    assert_eq!(snoozed.attempts, 0, "a snooze does not count");
    assert_eq!(
        snoozed.run_at,
        world.clock.now() + chrono::Duration::hours(1)
    );

    world.advance(Duration::from_secs(3599));
    let other = world.enqueue(&Task::new("other")).await;
    let call = calls.next().await;
    assert_eq!(call.name, "other");
    call.let_be(Act::Done);
    world.until_gone(other).await;
    assert!(calls.is_empty());

    world.advance(Duration::from_secs(1));
    let call = calls.next().await;
    assert_eq!((call.name.as_str(), call.number), ("later", 1));
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world
        .workers()
        .concurrency(1)
        .register(puppet)
        .start()
        .unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    calls.next().await.let_be(Act::Panic);
    let failed =
        eventually(async || world.row(id).await.filter(|row| row.last_error.is_some())).await;
    assert_eq!(
        failed.last_error.as_deref(),
        Some("panicked: the handler broke")
    );
    world.advance(Duration::from_secs(10));
    let call = calls.next().await;
    assert_eq!(call.number, 2, "the worker goes on");
    call.act(Act::Done).await.unwrap();
    world.until_gone(id).await;
}

#[derive(Serialize, Deserialize)]
struct Slow;

impl Job for Slow {
    const KIND: &'static str = "test.slow";
    const TIMEOUT: Duration = Duration::from_millis(50);
}

/// Never ends, and says so when it is cut off.
struct Stuck(mpsc::UnboundedSender<i32>);

#[async_trait]
impl Handler<Slow> for Stuck {
    async fn run(&self, _: Slow, attempt: &Attempt) -> Result<(), JobError> {
        let _last_word = LastWord(self.0.clone(), attempt.number);
        std::future::pending().await
    }
}

struct LastWord(mpsc::UnboundedSender<i32>, i32);

impl Drop for LastWord {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

#[tokio::test]
async fn a_handler_over_its_time_is_cut_off() {
    let world = World::new().await;
    let (words, mut heard) = mpsc::unbounded_channel();
    let _workers = world.workers().register(Stuck(words)).start().unwrap();
    let id = world.enqueue(&Slow).await;
    assert_eq!(heard.recv().await, Some(1));
    let failed =
        eventually(async || world.row(id).await.filter(|row| row.last_error.is_some())).await;
    assert_eq!(failed.last_error.as_deref(), Some("took longer than 50ms"));
}

#[tokio::test]
async fn an_effect_without_completion_is_completed_by_the_worker() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("fenced")).await;
    calls.next().await.act(Act::Fence).await.unwrap();
    world.until_gone(id).await;
    assert_eq!(world.effect("fenced").await, 1);
}

#[tokio::test]
async fn a_rolled_back_effect_leaves_the_job() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    let call = calls.next().await;
    // Somebody holds the effect's row, so the handler's transaction runs into lock_timeout after
    // it has deleted the job.
    let mut tx = world.begin().await;
    affect(&mut tx, "a").await.unwrap();
    assert!(call.act(Act::Commit).await.is_err());
    let row = eventually(async || world.row(id).await.filter(|row| row.last_error.is_some())).await;
    assert_eq!(row.state, "queued");
    drop(tx);
}
