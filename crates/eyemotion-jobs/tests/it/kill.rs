//! Processes that are killed at any moment lose nothing and do nothing twice.

use crate::throughput::{EFFECTS, Mark, Marker, ONCE};
use crate::world::{eventually, number, system};
use eyemotion_core::SystemClock;
use eyemotion_db::{DatabaseConfig, Db};
use eyemotion_jobs::{Enqueue, Workers, enqueue};
use eyemotion_testkit::TestDatabase;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const URL: &str = "EYEMOTION_JOBS_KILLED_WORKER";
const JOBS: i64 = 600;
const KILLS: i64 = 6;

fn spawn_worker(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::worker_process",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "runs only as the child of killed_workers_lose_nothing"]
async fn worker_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let db = Db::new(&DatabaseConfig::new(url)).unwrap();
    let workers = Workers::builder(db.clone(), Arc::new(SystemClock));
    let workers = workers
        .lease(Duration::from_secs(1))
        .poll(Duration::from_millis(100));
    let _workers = workers.concurrency(4).register(Marker(db)).start().unwrap();
    // Until killed.
    std::future::pending::<()>().await;
}

/// Ends the process with the test, however that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn killed_workers_lose_nothing() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let mut tx = db.begin(&system()).await.unwrap();
    for number in 0..JOBS {
        let job = Mark {
            name: number.to_string(),
        };
        enqueue(&mut tx, &SystemClock, &job, Enqueue::new())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();

    let mut workers = [
        Killed(spawn_worker(database.url())),
        Killed(spawn_worker(database.url())),
    ];
    for kill in 0..KILLS {
        // Each time a part of the work is done, one of the two dies in the middle of the rest.
        let part = JOBS * (kill + 1) / (KILLS + 2);
        eventually(async || (number(&db, EFFECTS).await >= part).then_some(())).await;
        let victim = usize::try_from(kill % 2).unwrap();
        workers[victim] = Killed(spawn_worker(database.url()));
    }
    let left = "select count(*) as number from jobs.jobs";
    eventually(async || (number(&db, left).await == 0).then_some(())).await;
    assert_eq!(number(&db, EFFECTS).await, JOBS);
    assert_eq!(number(&db, ONCE).await, JOBS);
}
