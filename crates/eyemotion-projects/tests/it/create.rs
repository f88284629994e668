use crate::world::{World, named, with_key};
use eyemotion_core::{Actor, Coded, Ctx, ErrorCode};
use eyemotion_projects::{NewProject, ProjectError, ProjectStatus, ProjectType, Projects};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::HashSet;

#[tokio::test]
async fn a_new_project_has_what_was_asked_for_and_defaults() {
    let world = World::new().await;
    let ctx = world.person().await;
    let Value::Object(settings) = json!({ "fps": "24000/1001", "lut": null }) else {
        panic!()
    };
    let new = NewProject {
        name: "  Rain  ".to_owned(),
        description: Some("A film\nabout rain".to_owned()),
        kind: Some(ProjectType::ShortFilm),
        settings: Some(settings.clone()),
        thumbnail_url: Some("https://example.com/a.jpg".to_owned()),
    };
    let created = world.projects.create(&ctx, new).await.unwrap();
    assert_eq!(created.name, "Rain");
    assert_eq!(created.description, "A film\nabout rain");
    assert_eq!(
        (created.kind, created.status),
        (ProjectType::ShortFilm, ProjectStatus::Draft)
    );
    assert_eq!(created.settings, settings);
    assert_eq!(Some(created.owner), ctx.user_id());
    assert_eq!((created.version, created.file_count), (1, 0));
    assert_eq!(world.projects.get(&ctx, created.id).await.unwrap(), created);

    let plain = world.project(&ctx, "Plain").await;
    assert_eq!(
        (plain.kind, plain.description.as_str()),
        (ProjectType::Other, "")
    );
    assert!(plain.settings.is_empty() && plain.thumbnail_url.is_none());
    assert_eq!(world.actions(), ["project.created", "project.created"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_makes_one_project() {
    let world = World::new().await;
    let ctx = world.person().await;
    let keyed = with_key(&ctx, "k", 1);
    let created = join_all((0..10).map(|_| world.projects.create(&keyed, named("Rain")))).await;
    let projects: Vec<_> = created.into_iter().map(Result::unwrap).collect();
    let ids: HashSet<_> = projects.iter().map(|project| project.id).collect();
    assert_eq!(ids.len(), 1);
    assert!(
        projects.iter().all(|project| *project == projects[0]),
        "the very same answer"
    );
    assert_eq!(world.count("select count(*) from projects").await, 1);

    let error = world
        .projects
        .create(&with_key(&ctx, "k", 2), named("Snow"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::IdempotencyKeyReused);
    // Another key, and the same key of somebody else, are other requests.
    world
        .projects
        .create(&with_key(&ctx, "l", 1), named("Rain"))
        .await
        .unwrap();
    let other = with_key(&world.person().await, "k", 1);
    world.projects.create(&other, named("Rain")).await.unwrap();
    assert_eq!(world.count("select count(*) from projects").await, 3);
}

#[tokio::test]
async fn a_key_is_free_again_when_nothing_came_of_it() {
    let world = World::new().await;
    let ctx = with_key(&world.person().await, "k", 1);
    world
        .neighbours
        .fail_record
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(world.projects.create(&ctx, named("Rain")).await.is_err());
    world
        .neighbours
        .fail_record
        .store(false, std::sync::atomic::Ordering::Relaxed);
    world.projects.create(&ctx, named("Rain")).await.unwrap();
    assert_eq!(world.count("select count(*) from projects").await, 1);
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_with_its_place() {
    let world = World::new().await;
    let ctx = world.person().await;
    // PostgreSQL measures JSON with a space after each comma: only it finds this one too large.
    let Value::Object(wide) = json!({ "a": vec![1; 30_000] }) else {
        panic!()
    };
    assert!(serde_json::to_vec(&wide).unwrap().len() < 65_536);
    let Value::Object(nul) = json!({ "a": "\0" }) else {
        panic!()
    };
    let cases = [
        (named(""), "/name"),
        (named("a\0b"), "/name"),
        (named(&"x".repeat(1 << 20)), "/name"),
        (
            NewProject {
                settings: Some(wide),
                ..named("a")
            },
            "/settings",
        ),
        (
            NewProject {
                settings: Some(nul),
                ..named("a")
            },
            "/settings",
        ),
        (
            NewProject {
                description: Some("\0".to_owned()),
                ..named("a")
            },
            "/description",
        ),
        (
            NewProject {
                thumbnail_url: Some("x".to_owned()),
                ..named("a")
            },
            "/thumbnailUrl",
        ),
    ];
    for (new, pointer) in cases {
        let error = world.projects.create(&ctx, new).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        assert_eq!(error.field_errors()[0].pointer, pointer);
    }
    assert_eq!(world.count("select count(*) from projects").await, 0);
}

#[tokio::test]
async fn a_name_may_be_as_long_as_the_table_takes() {
    let world = World::new().await;
    let ctx = world.person().await;
    let name = "ก".repeat(200);
    assert_eq!(world.project(&ctx, &name).await.name, name);
}

#[tokio::test]
async fn nobody_has_no_project() {
    let world = World::new().await;
    let anonymous = Ctx {
        actor: Actor::Anonymous,
        ..Ctx::system("")
    };
    for ctx in [anonymous, Ctx::system("test")] {
        let error = world
            .projects
            .create(&ctx, named("Rain"))
            .await
            .unwrap_err();
        assert!(matches!(error, ProjectError::Unauthenticated), "{error:?}");
    }
}
