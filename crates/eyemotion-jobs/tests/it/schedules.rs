use crate::puppet::{Act, Puppet, Task};
use crate::world::{World, eventually};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn two_runners_enqueue_each_tick_once() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let runner = |puppet: Puppet| {
        let workers = world.workers().register(puppet);
        workers
            .schedule("sweep", "* * * * *", &Task::new("sweep"))
            .start()
            .unwrap()
    };
    let _runners = [runner(puppet.clone()), runner(puppet)];
    let stored = || world.number("select count(*) as number from jobs.schedules");
    eventually(async || (stored().await == 1).then_some(())).await;
    for tick in 1..=5 {
        world.advance(MINUTE);
        let call = calls.next().await;
        assert_eq!((call.name.as_str(), call.number), ("sweep", 1));
        call.act(Act::Commit).await.unwrap();
        assert_eq!(world.effect("sweep").await, tick);
        world.until_empty().await;
    }
    assert!(calls.is_empty());
}

#[tokio::test]
async fn missed_ticks_become_one() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let workers = |puppet: Puppet| {
        let workers = world.workers().register(puppet);
        workers.schedule("sweep", "*/10 * * * *", &Task::new("sweep"))
    };
    let first = workers(puppet.clone()).start().unwrap();
    let stored = || world.number("select count(*) as number from jobs.schedules");
    eventually(async || (stored().await == 1).then_some(())).await;
    first.drain(Duration::ZERO).await;

    world.advance(MINUTE * 95);
    let _second = workers(puppet).start().unwrap();
    calls.next().await.act(Act::Commit).await.unwrap();
    world.until_empty().await;
    let next = "select extract(epoch from next_run_at - '2026-11-22T11:40:00Z')::bigint as number
                from jobs.schedules";
    assert_eq!(world.number(next).await, 0, "it is 11:35:30");
    assert!(calls.is_empty());
    world.advance(MINUTE * 5);
    calls.next().await.act(Act::Commit).await.unwrap();
    assert_eq!(world.effect("sweep").await, 2);
}

#[tokio::test]
async fn a_changed_expression_counts_from_now() {
    let world = World::new().await;
    let minutes = "select (extract(epoch from next_run_at - '2026-11-22T10:00:00Z') / 60)::bigint
                   as number from jobs.schedules";
    for (cron, expected) in [
        ("*/10 * * * *", 10),
        ("*/10 * * * *", 10),
        ("30 * * * *", 30),
    ] {
        let (puppet, _calls) = Puppet::new(&world.db);
        let workers = world.workers().register(puppet);
        let workers = workers
            .schedule("sweep", cron, &Task::new(cron))
            .start()
            .unwrap();
        let stored = format!(
            "select count(*) as number from jobs.schedules where payload = '{{\"name\": \"{cron}\"}}'
             and cron = '{cron}'"
        );
        eventually(async || (world.number(&stored).await == 1).then_some(())).await;
        assert_eq!(world.number(minutes).await, expected);
        workers.drain(Duration::ZERO).await;
        world.advance(MINUTE);
    }
}

#[tokio::test]
async fn a_bad_expression_is_told_at_the_start() {
    let world = World::new().await;
    let workers = world
        .workers()
        .schedule("sweep", "every day", &Task::new("sweep"));
    let error = workers.start().err().unwrap();
    assert_eq!(
        error.to_string(),
        "schedule \"sweep\" (\"every day\") cannot be kept"
    );
}
