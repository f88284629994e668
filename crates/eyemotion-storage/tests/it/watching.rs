//! Those who watch a file, and files that something was lost of.

use crate::world::{World, anonymous, json_file, nobodys_file};
use chrono::Duration;
use eyemotion_core::{Coded, ErrorCode};
use eyemotion_storage::{
    Disposition, FileStatus, Files, ProcessFile, Progress, Rendition, SweepUploads,
};
use futures_util::StreamExt;

#[tokio::test]
async fn whoever_watches_sees_every_state_to_the_last() {
    let world = World::new().await;
    let (person, other) = (world.person().await, world.person().await);
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(10))
        .await;
    let mut events = world.files.events(&person.ctx, file.id).await.unwrap();
    let first = Progress {
        file: file.id,
        status: FileStatus::Verifying,
        progress: 0,
        error: None,
    };
    assert_eq!(events.next().await.unwrap(), first);
    let running = world.start_workers();
    let rest: Vec<Progress> = events.collect().await;
    assert!(
        rest.is_sorted_by_key(|progress| progress.progress),
        "{rest:?}"
    );
    let last = rest.last().unwrap();
    assert_eq!((last.status, last.progress), (FileStatus::Ready, 100));
    running.drain(std::time::Duration::from_secs(10)).await;

    let after: Vec<Progress> = world
        .files
        .events(&person.ctx, file.id)
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(after.len(), 1, "what is done is said once");
    for (ctx, id, code) in [
        (&other.ctx, file.id, ErrorCode::FileNotFound),
        (&person.ctx, nobodys_file(), ErrorCode::FileNotFound),
        (&anonymous(), file.id, ErrorCode::Unauthenticated),
    ] {
        assert_eq!(
            world.files.events(ctx, id).await.err().unwrap().code(),
            code
        );
    }
    world.settle().await;
}

#[tokio::test]
async fn a_file_whose_object_is_lost_fails_in_the_end() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(10))
        .await;
    std::fs::remove_file(world.store_dir().join(&world.objects()[0])).unwrap();
    world.admin("update jobs.jobs set max_attempts = 1").await;
    let running = world.start_workers();
    let events = world.files.events(&person.ctx, file.id).await.unwrap();
    let last = events.collect::<Vec<_>>().await.pop().unwrap();
    assert_eq!(last.status, FileStatus::Failed);
    assert!(last.error.is_some());
    running.drain(std::time::Duration::from_secs(10)).await;
    let opened = world
        .files
        .open(
            &person.ctx,
            file.id,
            Rendition::Original,
            Disposition::Inline,
        )
        .await;
    assert_eq!(
        opened.unwrap_err().code(),
        ErrorCode::FileNotReady,
        "nobody has looked at it"
    );

    // The object comes back, and an operator replays the job.
    let path = world.store_dir().join(
        world
            .text(&format!(
                "select storage_path from public.project_files where id = '{}'",
                file.id
            ))
            .await,
    );
    std::fs::write(path, json_file(10)).unwrap();
    world.admin("delete from jobs.jobs").await;
    world.run_job(&ProcessFile { file: file.id }).await;
    assert_eq!(
        world.files.get(&person.ctx, file.id).await.unwrap().status,
        FileStatus::Ready
    );
    world.settle().await;
}

#[tokio::test]
async fn a_file_that_lost_its_job_gets_another() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(10))
        .await;
    world.admin("delete from jobs.jobs").await;
    world.run_job(&SweepUploads {}).await;
    let seen = world.files.get(&person.ctx, file.id).await.unwrap();
    assert_eq!(
        seen.status,
        FileStatus::Verifying,
        "its job may be on the way"
    );
    world.advance(Duration::hours(2));
    world.run_job(&SweepUploads {}).await;
    let seen = world.files.get(&person.ctx, file.id).await.unwrap();
    assert_eq!(seen.status, FileStatus::Ready);
    world.settle().await;
}
