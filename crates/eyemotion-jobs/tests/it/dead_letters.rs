use crate::puppet::{Act, Puppet, Task};
use crate::world::World;
use eyemotion_jobs::{Enqueue, Replay, dead, replay, snapshot};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn a_job_without_attempts_left_is_buried_and_can_be_replayed() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    for number in 1..=3 {
        let call = calls.next().await;
        assert_eq!(call.number, number);
        call.act(Act::Retry).await.unwrap_err();
        if number < 3 {
            world.until_state(id, "queued").await;
            world.advance(Duration::from_hours(1));
        }
    }
    world.until_state(id, "dead").await;
    assert_eq!(world.effect("dead a: it failed").await, 1);
    let letters = dead(&world.db, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (letter.id, letter.attempts, letter.error.as_str()),
        (id, 3, "it failed")
    );
    assert_eq!(
        (letter.kind.as_str(), letter.queue.as_str()),
        ("test.task", "default")
    );
    assert_eq!(letter.payload["name"], "a");
    assert_eq!(snapshot(&world.db, &*world.clock).await.unwrap().dead, 1);

    assert_eq!(replay(&world.db, id).await.unwrap(), Replay::Queued);
    let call = calls.next().await;
    assert_eq!(call.number, 1, "all attempts lie before it");
    assert_eq!(replay(&world.db, id).await.unwrap(), Replay::NotFound);
    call.act(Act::Commit).await.unwrap();
    world.until_gone(id).await;
    assert_eq!(
        replay(&world.db, Uuid::new_v4()).await.unwrap(),
        Replay::NotFound
    );
    assert_eq!(dead(&world.db, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_hopeless_job_is_buried_at_once() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let options = || Enqueue::new().unique_key("one");
    let id = world
        .enqueue_with(&Task::new("a"), options())
        .await
        .unwrap();
    calls.next().await.let_be(Act::Fatal);
    let row = world.until_state(id, "dead").await;
    assert_eq!((row.attempts, row.worker, row.lease_until), (1, None, None));
    assert_eq!(world.effect("dead a: it is hopeless").await, 1);

    let newer = world.enqueue_with(&Task::new("b"), options()).await;
    assert!(newer.is_some(), "the dead hold no key");
    assert_eq!(replay(&world.db, id).await.unwrap(), Replay::Superseded);
}

#[tokio::test]
async fn the_last_attempt_of_a_lost_worker_is_buried_by_another() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    let mut lost = Vec::new();
    for number in 1..=3 {
        let call = calls.next().await;
        assert_eq!(call.number, number);
        lost.push(call);
        world.advance(Duration::from_secs(61));
    }
    let row = world.until_state(id, "dead").await;
    assert_eq!(row.attempts, 3);
    assert_eq!(
        world.effect("dead a: the lease of attempt 3 ran out").await,
        1
    );
    assert!(calls.is_empty());
}

#[tokio::test]
async fn a_burial_that_fails_is_put_off() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    *puppet.refusals.lock().unwrap() = 2;
    let refusals = puppet.refusals.clone();
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    calls.next().await.let_be(Act::Fatal);
    world.until_dead(id).await;
    assert_eq!(*refusals.lock().unwrap(), 0);
    let effects = world.effect("dead a: it is hopeless").await;
    assert_eq!(effects, 1, "the refused ones were rolled back");
    assert!(calls.is_empty(), "a hopeless job is not run again");
}

#[tokio::test]
async fn a_burial_that_always_fails_ends_without_the_handler() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    *puppet.refusals.lock().unwrap() = u32::MAX;
    let refusals = puppet.refusals.clone();
    let _workers = world.workers().register(puppet).start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    calls.next().await.let_be(Act::Fatal);
    world.until_dead(id).await;
    assert_eq!(
        u32::MAX - *refusals.lock().unwrap(),
        4,
        "at once, then as often as it may be tried"
    );
    assert_eq!(dead(&world.db, 1).await.unwrap()[0].error, "it is hopeless");
    assert_eq!(world.effect("dead a: it is hopeless").await, 0);
}

#[tokio::test]
async fn an_unreadable_payload_is_a_dead_letter() {
    let world = World::new().await;
    let (puppet, calls) = Puppet::new(&world.db);
    let id = world.enqueue(&Task::new("a")).await;
    world
        .execute("update jobs.jobs set payload = '{\"title\": 1}'")
        .await;
    let _workers = world.workers().register(puppet).start().unwrap();
    world.until_state(id, "dead").await;
    let error = dead(&world.db, 1).await.unwrap()[0].error.clone();
    assert_eq!(error, "the payload cannot be read: missing field `name`");
    assert!(calls.is_empty());
}
