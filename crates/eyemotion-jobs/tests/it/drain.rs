use crate::puppet::{Act, Puppet, Task};
use crate::world::World;
use eyemotion_core::Clock as _;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(2);

#[tokio::test]
async fn drain_waits_for_what_runs_and_claims_nothing_more() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    // One place, which is taken: the dispatcher waits for it to become free.
    let workers = world
        .workers()
        .concurrency(1)
        .register(puppet)
        .start()
        .unwrap();
    let running = world.enqueue(&Task::new("running")).await;
    let call = calls.next().await;
    let drained = tokio::spawn(workers.drain(LONG));
    // Were it claimed when the place becomes free, nobody would let it end.
    let probe = world.enqueue(&Task::new("probe")).await;
    assert!(!drained.is_finished());
    call.act(Act::Done).await.unwrap();
    assert_eq!(drained.await.unwrap(), 0);
    assert!(world.row(running).await.is_none());
    let probe = world.row(probe).await.unwrap();
    assert_eq!((probe.state.as_str(), probe.attempts), ("queued", 0));
}

#[tokio::test]
async fn drain_gives_back_what_does_not_end() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let workers = world.workers().register(puppet.clone()).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    let call = calls.next().await;
    world.advance(Duration::from_secs(5));
    assert_eq!(workers.drain(Duration::ZERO).await, 1);
    assert!(call.end.await.is_err(), "the handler was cut off");
    let row = world.row(id).await.unwrap();
    assert_eq!(
        (row.state.as_str(), row.attempts),
        ("queued", 0),
        "the attempt does not count"
    );
    assert_eq!((row.worker, row.lease_until), (None, None));
    assert_eq!(row.run_at, world.clock.now());

    let _workers = world.workers().register(puppet).start().unwrap();
    let call = calls.next().await;
    assert_eq!(call.number, 1);
    call.act(Act::Commit).await.unwrap();
}

#[tokio::test]
async fn workers_that_are_dropped_lose_nothing() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let workers = world.workers().register(puppet.clone()).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    let call = calls.next().await;
    drop(workers);
    assert!(call.end.await.is_err(), "the handler was cut off");
    assert_eq!(world.row(id).await.unwrap().state, "running");

    let _workers = world.workers().register(puppet).start().unwrap();
    world.advance(Duration::from_secs(61));
    let call = calls.next().await;
    assert_eq!(call.number, 2);
    call.act(Act::Commit).await.unwrap();
    world.until_gone(id).await;
    assert_eq!(world.effect("a").await, 1);
}
