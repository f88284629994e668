use crate::puppet::{Act, Puppet, Task, is_fenced};
use crate::world::{World, eventually};
use diesel_async::SimpleAsyncConnection as _;
use eyemotion_core::{Clock as _, UserId};
use eyemotion_jobs::Enqueue;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn a_late_worker_is_fenced() {
    for (late, timely) in [(Act::Commit, Act::Commit), (Act::Fence, Act::Fence)] {
        let world = World::new().await;
        let (puppet, mut calls) = Puppet::new(&world.db);
        let (other_puppet, mut other_calls) = Puppet::new(&world.db);
        let _workers = world.workers().register(puppet).start().unwrap();
        let id = world.enqueue(&Task::new("a")).await;
        let first = calls.next().await;
        world.advance(Duration::from_secs(61));
        // The first worker may itself be the one to take its lapsed job over.
        let _others = world.workers().register(other_puppet).start().unwrap();
        let second = tokio::select! {
            call = calls.next() => call,
            call = other_calls.next() => call,
        };
        assert_eq!((first.number, second.number), (1, 2));

        let refused = first.act(late).await;
        assert!(is_fenced(&refused), "{refused:?}");
        assert_eq!(world.effect("a").await, 0);
        let row = world.row(id).await.unwrap();
        assert_eq!(
            (row.state.as_str(), row.attempts),
            ("running", 2),
            "the job is the second's"
        );

        second.act(timely).await.unwrap();
        world.until_gone(id).await;
        assert_eq!(world.effect("a").await, 1);
    }
}

#[tokio::test]
async fn a_late_failure_or_success_changes_nothing() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    for (late, name) in [
        (Act::Done, "done"),
        (Act::Retry, "retry"),
        (Act::Fatal, "fatal"),
    ] {
        let id = world.enqueue(&Task::new(name)).await;
        let first = calls.next().await;
        world.advance(Duration::from_secs(61));
        let second = calls.next().await;
        let before = world.row(id).await;
        first.let_be(late);
        // One worker settles in order of asking only by chance; another job shows that it lives.
        let other = world.enqueue(&Task::new("other")).await;
        calls.next().await.let_be(Act::Done);
        world.until_gone(other).await;
        assert_eq!(world.row(id).await, before);
        second.act(Act::Done).await.unwrap();
        world.until_gone(id).await;
    }
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_handler_runs() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let lease = Duration::from_millis(300);
    let _workers = world
        .workers()
        .lease(lease)
        .register(puppet)
        .start()
        .unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    let call = calls.next().await;
    for _ in 0..3 {
        world.advance(lease / 2);
        let renewed = world.clock.now() + lease;
        let row = eventually(async || {
            world
                .row(id)
                .await
                .filter(|row| row.lease_until >= Some(renewed))
        })
        .await;
        assert_eq!(row.attempts, 1);
    }
    call.act(Act::Commit).await.unwrap();
}

#[tokio::test]
async fn a_locked_row_holds_up_no_other_lease() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let lease = Duration::from_millis(300);
    let _workers = world
        .workers()
        .lease(lease)
        .register(puppet)
        .start()
        .unwrap();
    let locked = world.enqueue(&Task::new("locked")).await;
    let locked_call = calls.next().await;
    let free = world.enqueue(&Task::new("free")).await;
    let _call = calls.next().await;
    let mut tx = world.begin().await;
    tx.batch_execute(&format!(
        "select from jobs.jobs where id = '{locked}' for update"
    ))
    .await
    .unwrap();
    world.advance(lease / 2);
    let renewed = Some(world.clock.now() + lease);
    eventually(async || {
        // An idle transaction would be ended by the server, and its lock with it.
        tx.batch_execute("select").await.unwrap();
        world
            .row(free)
            .await
            .filter(|row| row.lease_until >= renewed)
    })
    .await;
    drop(tx);
    // It was skipped and not taken for lost.
    locked_call.act(Act::Commit).await.unwrap();
    world.until_gone(locked).await;
}

#[tokio::test]
async fn a_handler_that_lost_its_lease_is_cut_off() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let workers = world
        .workers()
        .lease(Duration::from_millis(30))
        .register(puppet);
    let _workers = workers.start().unwrap();
    let id = world.enqueue(&Task::new("a")).await;
    let call = calls.next().await;
    world
        .execute(&format!(
            "update jobs.jobs set worker = 'another' where id = '{id}'"
        ))
        .await;
    assert!(call.end.await.is_err());
    assert_eq!(
        world.row(id).await.unwrap().worker.as_deref(),
        Some("another")
    );
}

#[tokio::test]
async fn one_person_cannot_take_a_whole_queue() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let (busy, modest) = (UserId(Uuid::new_v4()), UserId(Uuid::new_v4()));
    for number in 0..5 {
        let turn = world.clock.now() - chrono::Duration::seconds(10 - number);
        let options = Enqueue::new().owner(busy).run_at(turn);
        world
            .enqueue_with(&Task::new(&format!("busy {number}")), options)
            .await;
    }
    world
        .enqueue_with(&Task::new("modest"), Enqueue::new().owner(modest))
        .await;
    world.enqueue(&Task::new("nobody's")).await;
    let workers = world
        .workers()
        .concurrency(6)
        .owner_limit("default", 2)
        .register(puppet);
    let _workers = workers.start().unwrap();
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(calls.next().await);
    }
    let mut names: Vec<_> = running.iter().map(|call| call.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["busy 0", "busy 1", "modest", "nobody's"]);

    let done = running
        .iter()
        .position(|call| call.name == "busy 1")
        .unwrap();
    running.swap_remove(done).act(Act::Done).await.unwrap();
    assert_eq!(
        calls.next().await.name,
        "busy 2",
        "a free place goes to the next"
    );
}
