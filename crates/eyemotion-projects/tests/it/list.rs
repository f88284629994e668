use crate::world::World;
use chrono::Duration;
use eyemotion_core::PageRequest;
use eyemotion_projects::ProjectUpdate;
use eyemotion_projects::{NewProject, ProjectFilter, ProjectStatus, ProjectType, Projects};

#[tokio::test]
async fn newest_first_and_nothing_twice_or_missing() {
    let world = World::new().await;
    let ctx = world.person().await;
    // Five at each moment: the id breaks the tie.
    for moment in 0..5 {
        for n in 0..5 {
            world.project(&ctx, &format!("{moment}.{n}")).await;
        }
        world.clock.advance(Duration::seconds(1));
    }
    world
        .project(&world.person().await, "somebody else's")
        .await;

    let whole = world
        .pages(&ctx, ProjectFilter::default(), 100)
        .await
        .concat();
    assert_eq!(whole.len(), 25);
    let moments: Vec<_> = whole.iter().map(|name| &name[..1]).collect();
    assert!(
        moments.is_sorted_by(|earlier, later| earlier >= later),
        "{whole:?}"
    );
    for limit in [1, 3, 5, 24, 25, 26] {
        let pages = world.pages(&ctx, ProjectFilter::default(), limit).await;
        assert_eq!(pages.concat(), whole, "pages of {limit}");
        let full = pages
            .iter()
            .rev()
            .skip(1)
            .all(|page| page.len() == usize::try_from(limit).unwrap());
        assert!(full, "{pages:?}");
    }
}

#[tokio::test]
async fn a_page_continues_where_the_last_one_ended_whatever_was_added_or_deleted() {
    let world = World::new().await;
    let ctx = world.person().await;
    for name in ["a", "b", "c", "d"] {
        world.project(&ctx, name).await;
        world.clock.advance(Duration::seconds(1));
    }
    let all = ProjectFilter::default();
    let page = PageRequest {
        limit: 2,
        after: None,
    };
    let first = world.projects.list(&ctx, all, page).await.unwrap();
    assert_eq!(
        first
            .items
            .iter()
            .map(|p| p.name.as_str())
            .collect::<Vec<_>>(),
        ["d", "c"]
    );

    world.project(&ctx, "new").await;
    // Even the one that the cursor names may go.
    world
        .projects
        .delete(&ctx, first.items[1].id, None)
        .await
        .unwrap();
    let page = PageRequest {
        limit: 2,
        after: first.next,
    };
    let second = world.projects.list(&ctx, all, page).await.unwrap();
    assert_eq!(
        second
            .items
            .iter()
            .map(|p| p.name.as_str())
            .collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert!(second.next.is_none());
}

#[tokio::test]
async fn filters_by_status_and_type() {
    let world = World::new().await;
    let ctx = world.person().await;
    for (name, kind) in [
        ("film", ProjectType::FeatureFilm),
        ("clip", ProjectType::MusicVideo),
    ] {
        for status in [ProjectStatus::Draft, ProjectStatus::Review] {
            let new = NewProject {
                name: format!("{name} {status}"),
                kind: Some(kind),
                ..NewProject::default()
            };
            let project = world.projects.create(&ctx, new).await.unwrap();
            let update = ProjectUpdate {
                status: Some(status),
                ..ProjectUpdate::default()
            };
            world
                .projects
                .update(&ctx, project.id, update, None)
                .await
                .unwrap();
            world.clock.advance(Duration::seconds(1));
        }
    }
    let names = async |status, kind| {
        world
            .pages(&ctx, ProjectFilter { status, kind }, 1)
            .await
            .concat()
    };
    let review = Some(ProjectStatus::Review);
    let clip = Some(ProjectType::MusicVideo);
    assert_eq!(names(review, None).await, ["clip review", "film review"]);
    assert_eq!(names(None, clip).await, ["clip review", "clip draft"]);
    assert_eq!(names(review, clip).await, ["clip review"]);
    assert!(names(Some(ProjectStatus::Archived), None).await.is_empty());
}

#[tokio::test]
async fn a_large_page_arrives() {
    let world = World::new().await;
    let ctx = world.person().await;
    for _ in 0..100 {
        let new = NewProject {
            description: Some("x".repeat(10_000)),
            ..crate::world::named("large")
        };
        world.projects.create(&ctx, new).await.unwrap();
    }
    let page = PageRequest {
        limit: 100,
        after: None,
    };
    let found = world
        .projects
        .list(&ctx, ProjectFilter::default(), page)
        .await
        .unwrap();
    assert_eq!(found.items.len(), 100);
}
