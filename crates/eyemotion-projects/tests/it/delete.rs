use crate::world::World;
use eyemotion_projects::{ProjectError, Projects};
use futures_util::future::join_all;
use std::sync::atomic::Ordering;

const TRACES: &str = "select count(*) from storage_quotas";
const DELETED: &str = "select count(*) from projects where deleted_at is not null";

#[tokio::test]
async fn gives_up_the_files_with_the_project() {
    let world = World::new().await;
    let ctx = world.person().await;
    let project = world.project(&ctx, "Rain").await;
    let error = world
        .projects
        .delete(&ctx, project.id, Some(9))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ProjectError::VersionMismatch { current: 1 }),
        "{error:?}"
    );
    assert_eq!(
        (world.count(TRACES).await, world.count(DELETED).await),
        (0, 0)
    );

    world
        .projects
        .delete(&ctx, project.id, Some(1))
        .await
        .unwrap();
    assert_eq!(
        (world.count(TRACES).await, world.count(DELETED).await),
        (1, 1)
    );
    assert_eq!(world.actions(), ["project.created", "project.deleted"]);
    let error = world
        .projects
        .delete(&ctx, project.id, None)
        .await
        .unwrap_err();
    assert!(matches!(error, ProjectError::NotFound), "{error:?}");
}

#[tokio::test]
async fn happens_as_a_whole_or_not_at_all() {
    let world = World::new().await;
    let ctx = world.person().await;
    let project = world.project(&ctx, "Rain").await;
    for failing in [
        &world.neighbours.fail_discard,
        &world.neighbours.fail_record,
    ] {
        failing.store(true, Ordering::Relaxed);
        assert!(world.projects.delete(&ctx, project.id, None).await.is_err());
        assert_eq!(
            (world.count(TRACES).await, world.count(DELETED).await),
            (0, 0)
        );
        failing.store(false, Ordering::Relaxed);
    }
    assert_eq!(world.projects.get(&ctx, project.id).await.unwrap(), project);
    world.projects.delete(&ctx, project.id, None).await.unwrap();
    assert_eq!(
        (world.count(TRACES).await, world.count(DELETED).await),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn happens_once() {
    let world = World::new().await;
    let ctx = world.person().await;
    let project = world.project(&ctx, "Rain").await;
    let outcomes = join_all((0..8).map(|_| world.projects.delete(&ctx, project.id, None))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert!(matches!(error, ProjectError::NotFound), "{error:?}");
    }
    assert_eq!(world.count(TRACES).await, 1);
}
