use crate::puppet::{Act, Puppet, Task};
use crate::world::{World, affect, eventually, system};
use async_trait::async_trait;
use diesel_async::RunQueryDsl;
use eyemotion_db::Db;
use eyemotion_jobs::{Attempt, Enqueue, Handler, Job, JobError, Workers, enqueue};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
pub struct Mark {
    pub name: String,
}

impl Job for Mark {
    const KIND: &'static str = "test.mark";
    const MAX_ATTEMPTS: i32 = 1000;
}

pub struct Marker(pub Db);

#[async_trait]
impl Handler<Mark> for Marker {
    async fn run(&self, job: Mark, attempt: &Attempt) -> Result<(), JobError> {
        let mut tx = self.0.begin(&system()).await?;
        affect(&mut tx, &job.name).await?;
        attempt.complete(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

pub async fn enqueue_marks(world: &World, count: usize) {
    let mut tx = world.begin().await;
    for number in 0..count {
        let job = Mark {
            name: number.to_string(),
        };
        enqueue(&mut tx, &*world.clock, &job, Enqueue::new())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

pub const ONCE: &str =
    "select count(*) as number from public.kv_store where namespace = 'effects' and value = '1'";
pub const EFFECTS: &str =
    "select count(*) as number from public.kv_store where namespace = 'effects'";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_jobs_take_effect_once_each() {
    let world = World::new().await;
    enqueue_marks(&world, 1000).await;
    let workers: Vec<_> = (0..4)
        .map(|_| {
            world
                .workers()
                .register(Marker(world.db.clone()))
                .start()
                .unwrap()
        })
        .collect();
    world.until_empty().await;
    assert_eq!(world.number(EFFECTS).await, 1000);
    assert_eq!(world.number(ONCE).await, 1000);
    for workers in workers {
        assert_eq!(workers.drain(Duration::from_mins(1)).await, 0);
    }
}

#[tokio::test]
async fn an_enqueued_job_wakes_a_worker() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let workers = Workers::builder(world.db.clone(), world.clock.clone());
    let _workers = workers
        .poll(Duration::from_hours(24))
        .register(puppet)
        .start()
        .unwrap();
    // Until the workers listen, nothing wakes them: call until the first is heard.
    let first = world.enqueue(&Task::new("first")).await;
    eventually(async || {
        let mut tx = world.begin().await;
        diesel::sql_query("select pg_notify('jobs', 'default')")
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        (!calls.is_empty()).then_some(())
    })
    .await;
    calls.next().await.act(Act::Done).await.unwrap();
    world.until_gone(first).await;

    for name in ["a", "b", "c"] {
        let id = world.enqueue(&Task::new(name)).await;
        let call = calls.next().await;
        assert_eq!(call.name, name);
        call.act(Act::Done).await.unwrap();
        world.until_gone(id).await;
    }
}

#[tokio::test]
async fn a_kind_without_a_handler_is_left_to_others() {
    let world = World::new().await;
    let (puppet, mut calls) = Puppet::new(&world.db);
    let _workers = world.workers().register(puppet).start().unwrap();
    enqueue_marks(&world, 1).await;
    let id = world.enqueue(&Task::new("known")).await;
    calls.next().await.act(Act::Done).await.unwrap();
    world.until_gone(id).await;
    assert_eq!(world.rows().await[0].state, "queued");
    let _others = world
        .workers()
        .register(Marker(world.db.clone()))
        .start()
        .unwrap();
    world.until_empty().await;
}
