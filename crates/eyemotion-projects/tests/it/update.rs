use crate::world::World;
use eyemotion_core::{Coded, ErrorCode};
use eyemotion_projects::{ProjectError, ProjectStatus, ProjectType, ProjectUpdate, Projects};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Option<Map<String, Value>> {
    serde_json::from_value(value).ok()
}

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let world = World::new().await;
    let ctx = world.person().await;
    let id = world.project(&ctx, "Rain").await.id;
    let update = ProjectUpdate {
        name: Some(" Snow ".to_owned()),
        description: Some("white".to_owned()),
        kind: Some(ProjectType::Documentary),
        status: Some(ProjectStatus::Completed),
        settings: object(json!({ "a": { "b": 1, "c": 2 }, "d": 3 })),
        collaboration_settings: object(json!({ "open": true })),
        thumbnail_url: Some(Some("http://example.com/a".to_owned())),
    };
    let first = world
        .projects
        .update(&ctx, id, update, Some(1))
        .await
        .unwrap();
    assert_eq!(
        (first.name.as_str(), first.description.as_str()),
        ("Snow", "white")
    );
    assert_eq!(
        (first.kind, first.status),
        (ProjectType::Documentary, ProjectStatus::Completed)
    );
    assert_eq!(first.version, 2);

    let update = ProjectUpdate {
        status: Some(ProjectStatus::Draft),
        settings: object(json!({ "a": { "b": null }, "e": [] })),
        thumbnail_url: Some(None),
        ..ProjectUpdate::default()
    };
    let second = world
        .projects
        .update(&ctx, id, update, Some(2))
        .await
        .unwrap();
    assert_eq!(second.name, "Snow");
    assert_eq!(
        second.status,
        ProjectStatus::Draft,
        "any status may follow any other"
    );
    assert_eq!(
        Value::Object(second.settings.clone()),
        json!({ "a": { "c": 2 }, "d": 3, "e": [] })
    );
    assert_eq!(
        Value::Object(second.collaboration_settings.clone()),
        json!({ "open": true })
    );
    assert_eq!(second.thumbnail_url, None);
    assert_eq!(second.version, 3);
    assert_eq!(world.projects.get(&ctx, id).await.unwrap(), second);
    assert_eq!(
        world.actions(),
        ["project.created", "project.updated", "project.updated"]
    );
}

#[tokio::test]
async fn nothing_to_change_is_no_change() {
    let world = World::new().await;
    let ctx = world.person().await;
    let project = world.project(&ctx, "Rain").await;
    let same = ProjectUpdate {
        name: Some("Rain".to_owned()),
        ..ProjectUpdate::default()
    };
    for update in [ProjectUpdate::default(), same] {
        let after = world
            .projects
            .update(&ctx, project.id, update, Some(1))
            .await
            .unwrap();
        assert_eq!(after.version, 1);
    }
    let error = world
        .projects
        .update(&ctx, project.id, ProjectUpdate::default(), Some(7))
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::VersionMismatch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_ten_changes_from_one_version_one_wins() {
    let world = World::new().await;
    let ctx = world.person().await;
    let project = world.project(&ctx, "Rain").await;
    let outcomes = join_all((0..10).map(|n| {
        let update = ProjectUpdate {
            name: Some(format!("Rain {n}")),
            ..ProjectUpdate::default()
        };
        world
            .projects
            .update(&ctx, project.id, update, Some(project.version))
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 9));
    for error in lost.into_iter().filter_map(Result::err) {
        assert!(
            matches!(error, ProjectError::VersionMismatch { current: 2 }),
            "{error:?}"
        );
        assert_eq!(error.members()["currentVersion"], 2);
    }
    let winner = won.into_iter().find_map(Result::ok).unwrap();
    assert_eq!(world.projects.get(&ctx, project.id).await.unwrap(), winner);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn merges_that_race_lose_nothing() {
    let world = World::new().await;
    let ctx = world.person().await;
    let project = world.project(&ctx, "Rain").await;
    let outcomes = join_all((0..10).map(|n| {
        let settings = Some(Map::from_iter([(format!("k{n}"), json!(n))]));
        let update = ProjectUpdate {
            settings,
            ..ProjectUpdate::default()
        };
        world.projects.update(&ctx, project.id, update, None)
    }))
    .await;
    assert!(outcomes.iter().all(Result::is_ok));
    let settings = world.projects.get(&ctx, project.id).await.unwrap().settings;
    assert_eq!(settings.len(), 10, "{settings:?}");
}

#[tokio::test]
async fn settings_are_measured_as_merged() {
    let world = World::new().await;
    let ctx = world.person().await;
    let id = world.project(&ctx, "Rain").await.id;
    let half = |key: &str| ProjectUpdate {
        settings: object(json!({ key: "x".repeat(40_000) })),
        ..ProjectUpdate::default()
    };
    world
        .projects
        .update(&ctx, id, half("a"), None)
        .await
        .unwrap();
    let error = world
        .projects
        .update(&ctx, id, half("b"), None)
        .await
        .unwrap_err();
    assert_eq!(error.field_errors()[0].pointer, "/settings");

    let wide = ProjectUpdate {
        collaboration_settings: object(json!({ "a": vec![1; 30_000] })),
        ..ProjectUpdate::default()
    };
    let error = world
        .projects
        .update(&ctx, id, wide, None)
        .await
        .unwrap_err();
    assert_eq!(error.field_errors()[0].pointer, "/collaborationSettings");
    assert_eq!(world.projects.get(&ctx, id).await.unwrap().version, 2);
}
