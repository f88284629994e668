use crate::world::{World, as_admin};
use eyemotion_core::{Actor, Coded, Ctx, ErrorCode, PageRequest, ProjectId};
use eyemotion_projects::{ProjectError, ProjectFilter, ProjectUpdate, Projects};
use uuid::Uuid;

const PAGE: PageRequest = PageRequest {
    limit: 10,
    after: None,
};

/// What a client learns of a project that is not there.
async fn assert_absent(world: &World, ctx: &Ctx, id: ProjectId) {
    let update = || ProjectUpdate {
        name: Some("Mine".to_owned()),
        ..ProjectUpdate::default()
    };
    let errors = [
        world
            .projects
            .update(ctx, id, update(), None)
            .await
            .unwrap_err(),
        // A version that fits tells no more than one that does not.
        world
            .projects
            .update(ctx, id, update(), Some(1))
            .await
            .unwrap_err(),
        world.projects.delete(ctx, id, None).await.unwrap_err(),
        world.projects.delete(ctx, id, Some(1)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), ErrorCode::ProjectNotFound, "{error:?}");
        assert_eq!(error.to_string(), ProjectError::NotFound.to_string());
    }
}

#[tokio::test]
async fn somebody_elses_unknown_and_deleted_look_alike() {
    let world = World::new().await;
    let (ctx, other) = (world.person().await, world.person().await);
    let project = world.project(&other, "Theirs").await;
    let deleted = world.project(&ctx, "Gone").await;
    world.projects.delete(&ctx, deleted.id, None).await.unwrap();
    for id in [project.id, deleted.id, ProjectId(Uuid::now_v7())] {
        let error = world.projects.get(&ctx, id).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ProjectNotFound);
        assert_absent(&world, &ctx, id).await;
    }
    assert!(
        world
            .pages(&ctx, ProjectFilter::default(), 10)
            .await
            .concat()
            .is_empty()
    );
    assert_eq!(
        world.projects.get(&other, project.id).await.unwrap(),
        project
    );
}

#[tokio::test]
async fn admins_read_everybodys_and_change_their_own() {
    let world = World::new().await;
    let (owner, other) = (world.person().await, world.person().await);
    let project = world.project(&owner, "Theirs").await;
    let user = owner.user_id().unwrap();
    let all = ProjectFilter::default();
    let admin = as_admin(&other);

    assert_eq!(
        world.projects.get(&admin, project.id).await.unwrap(),
        project
    );
    let listed = world
        .projects
        .list_of(&admin, user, all, PAGE)
        .await
        .unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&project));
    assert!(
        world
            .projects
            .list(&admin, all, PAGE)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_absent(&world, &admin, project.id).await;

    let own = world
        .projects
        .list_of(&owner, user, all, PAGE)
        .await
        .unwrap();
    assert_eq!(own.items, [project]);
    let error = world
        .projects
        .list_of(&other, user, all, PAGE)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn nobody_sees_nothing() {
    let world = World::new().await;
    let owner = world.person().await;
    let id = world.project(&owner, "Rain").await.id;
    let ctx = Ctx {
        actor: Actor::Anonymous,
        ..Ctx::system("")
    };
    let all = ProjectFilter::default();
    let errors = [
        world.projects.get(&ctx, id).await.map(|_| ()).unwrap_err(),
        world
            .projects
            .list(&ctx, all, PAGE)
            .await
            .map(|_| ())
            .unwrap_err(),
        world
            .projects
            .list_of(&ctx, owner.user_id().unwrap(), all, PAGE)
            .await
            .map(|_| ())
            .unwrap_err(),
        world
            .projects
            .update(&ctx, id, ProjectUpdate::default(), None)
            .await
            .map(|_| ())
            .unwrap_err(),
        world.projects.delete(&ctx, id, None).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), ErrorCode::Unauthenticated, "{error:?}");
    }
}
