use crate::puppet::{Act, Puppet, Task};
use crate::world::World;
use chrono::Duration;
use eyemotion_core::{Actor, Clock as _, Ctx, SessionId, UserId, UserRole};
use eyemotion_jobs::{Enqueue, enqueue, snapshot};
use uuid::Uuid;

#[tokio::test]
async fn a_job_is_rolled_back_with_its_transaction() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    let id = enqueue(&mut tx, &*world.clock, &Task::new("never"), Enqueue::new())
        .await
        .unwrap();
    assert!(id.is_some());
    drop(tx);
    let kept = world.enqueue(&Task::new("kept")).await;
    let rows = world.rows().await;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [kept]);
}

#[tokio::test]
async fn a_unique_key_lets_one_in_until_that_is_done() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let key = || Enqueue::new().unique_key("task:a");
    let first = world.enqueue_with(&Task::new("a"), key()).await.unwrap();
    assert_eq!(
        world.enqueue_with(&Task::new("a"), key()).await,
        None,
        "one is queued"
    );
    let _workers = world.workers().register(puppet).start().unwrap();
    let call = calls.next().await;
    assert_eq!(
        world.enqueue_with(&Task::new("a"), key()).await,
        None,
        "one is running"
    );
    call.act(Act::Done).await.unwrap();
    world.until_gone(first).await;
    assert!(world.enqueue_with(&Task::new("a"), key()).await.is_some());
}

#[tokio::test]
async fn the_best_goes_first_and_the_future_waits() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let now = world.clock.now();
    let at = |seconds| Enqueue::new().run_at(now + Duration::seconds(seconds));
    world.enqueue_with(&Task::new("late"), at(-1)).await;
    world.enqueue_with(&Task::new("early"), at(-2)).await;
    world
        .enqueue_with(&Task::new("urgent"), at(0).priority(1))
        .await;
    world
        .enqueue_with(&Task::new("tomorrow"), at(86_400).priority(9))
        .await;
    let counts = snapshot(&world.db, &*world.clock).await.unwrap();
    assert_eq!((counts.queued, counts.running, counts.dead), (4, 0, 0));
    assert_eq!(counts.oldest, Some(std::time::Duration::from_secs(2)));

    let _workers = world
        .workers()
        .concurrency(1)
        .register(puppet)
        .start()
        .unwrap();
    for expected in ["urgent", "early", "late"] {
        let call = calls.next().await;
        assert_eq!(call.name, expected);
        if expected == "late" {
            let counts = snapshot(&world.db, &*world.clock).await.unwrap();
            assert_eq!((counts.queued, counts.running, counts.oldest), (1, 1, None));
        }
        call.let_be(Act::Done);
    }
    world.advance(std::time::Duration::from_hours(24));
    assert_eq!(calls.next().await.name, "tomorrow");
}

#[tokio::test]
async fn a_job_belongs_to_the_person_that_the_transaction_acts_for() {
    let world = World::new().await;
    let person = UserId(Uuid::new_v4());
    let ctx = Ctx::system("test").with_actor(Actor::User {
        id: person,
        session: SessionId(Uuid::new_v4()),
        role: UserRole::User,
    });
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    enqueue(&mut tx, &*world.clock, &Task::new("own"), Enqueue::new())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.rows().await[0].owner_id, Some(person.0));

    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let other = Enqueue::new().owner(UserId(Uuid::new_v4()));
    assert!(
        enqueue(&mut tx, &*world.clock, &Task::new("other's"), other)
            .await
            .is_err()
    );
    drop(tx);
    let mut tx = world.db.begin(&ctx).await.unwrap();
    let own = enqueue(&mut tx, &*world.clock, &Task::new("direct"), Enqueue::new()).await;
    assert!(own.is_err(), "people have no rights on the queue");
}

#[tokio::test]
async fn a_payload_has_a_limit() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    let task = Task::new(&"x".repeat(300_000));
    let refused = enqueue(&mut tx, &*world.clock, &task, Enqueue::new())
        .await
        .unwrap_err();
    assert_eq!(refused.constraint(), Some("jobs_payload_check"));
}
