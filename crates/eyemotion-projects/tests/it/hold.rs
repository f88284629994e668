use crate::world::{World, as_admin};
use eyemotion_core::{Ctx, ProjectId};
use eyemotion_ports::ProjectDirectory;
use eyemotion_projects::{Directory, ProjectUpdate, Projects};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

async fn holds(world: &World, ctx: &Ctx, project: ProjectId) -> bool {
    let mut tx = world.db.begin_for(ctx).await.unwrap();
    Directory.hold(&mut tx, ctx, project).await.unwrap()
}

#[tokio::test]
async fn finds_the_callers_own_living_projects() {
    let world = World::new().await;
    let (ctx, other) = (world.person().await, world.person().await);
    let project = world.project(&ctx, "Rain").await;
    assert!(holds(&world, &ctx, project.id).await);
    assert!(!holds(&world, &other, project.id).await);
    assert!(!holds(&world, &as_admin(&other), project.id).await);
    assert!(!holds(&world, &ctx, ProjectId(Uuid::now_v7())).await);

    // A caller's own transaction shows an admin more, and still gives no hold of it.
    let admin = as_admin(&other);
    let mut tx = world.db.begin(&admin).await.unwrap();
    assert!(!Directory.hold(&mut tx, &admin, project.id).await.unwrap());
    drop(tx);

    world.projects.delete(&ctx, project.id, None).await.unwrap();
    assert!(!holds(&world, &ctx, project.id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_a_project_from_being_deleted_and_lets_others_work() {
    let world = Arc::new(World::new().await);
    let ctx = world.person().await;
    let id = world.project(&ctx, "Rain").await.id;
    let mut holder = world.db.begin_for(&ctx).await.unwrap();
    assert!(Directory.hold(&mut holder, &ctx, id).await.unwrap());

    // Others may hold it and change it, as the counters do.
    assert!(holds(&world, &ctx, id).await);
    let update = ProjectUpdate {
        name: Some("Snow".to_owned()),
        ..ProjectUpdate::default()
    };
    world.projects.update(&ctx, id, update, None).await.unwrap();

    let deletion = tokio::spawn({
        let (world, ctx) = (Arc::clone(&world), ctx.clone());
        async move { world.projects.delete(&ctx, id, None).await }
    });
    let waiting = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    while world.count(waiting).await == 0 {
        assert!(!deletion.is_finished(), "the deletion did not wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(world.projects.get(&ctx, id).await.is_ok());
    holder.commit().await.unwrap();
    deletion.await.unwrap().unwrap();
    assert!(!holds(&world, &ctx, id).await);
}
