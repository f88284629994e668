use crate::world::World;
use eyemotion_auth::{Accounts, AuthError, ProfileUpdate};
use eyemotion_core::{Coded, ErrorCode};
use serde_json::{Map, Value, json};

fn preferences(value: Value) -> ProfileUpdate {
    let members: Map<String, Value> = serde_json::from_value(value).unwrap();
    ProfileUpdate {
        preferences: Some(members),
        ..ProfileUpdate::default()
    }
}

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let (world, person) = World::with_person().await;
    let update = ProfileUpdate {
        full_name: Some(" New Name ".to_owned()),
        company_name: Some(Some("Studio".to_owned())),
        phone: Some(Some("+66 2".to_owned())),
        avatar_url: Some(Some("https://example.com/a.png".to_owned())),
        onboarding_completed: Some(true),
        ..ProfileUpdate::default()
    };
    let changed = world
        .accounts
        .update_profile(&person.ctx, update, Some(1))
        .await
        .unwrap();
    assert_eq!(changed.version, 2);
    assert_eq!(changed.full_name, "New Name");
    assert_eq!(changed.company_name.as_deref(), Some("Studio"));
    assert_eq!(changed.industry, "Film Production");
    assert!(changed.onboarding_completed);
    assert_eq!(world.accounts.profile(&person.ctx).await.unwrap(), changed);

    let update = ProfileUpdate {
        company_name: Some(None),
        phone: Some(Some(" ".to_owned())),
        ..ProfileUpdate::default()
    };
    let cleared = world
        .accounts
        .update_profile(&person.ctx, update, None)
        .await
        .unwrap();
    assert_eq!((cleared.company_name, cleared.phone), (None, None));
    assert_eq!(cleared.avatar_url, changed.avatar_url);
    assert_eq!(world.logged("profile.updated").await, 2);
}

#[tokio::test]
async fn preferences_are_merged() {
    let (world, person) = World::with_person().await;
    let first = preferences(json!({ "theme": "dark", "editor": { "snap": true, "zoom": 2 } }));
    world
        .accounts
        .update_profile(&person.ctx, first, None)
        .await
        .unwrap();
    let second = preferences(json!({ "theme": null, "editor": { "zoom": 3 } }));
    let changed = world
        .accounts
        .update_profile(&person.ctx, second, None)
        .await
        .unwrap();
    assert_eq!(
        changed.preferences,
        json!({ "editor": { "snap": true, "zoom": 3 } })
    );
}

#[tokio::test]
async fn a_change_from_an_old_version_is_refused() {
    let (world, person) = World::with_person().await;
    let name = |name: &str| ProfileUpdate {
        full_name: Some(name.to_owned()),
        ..ProfileUpdate::default()
    };
    let change = |update, version| world.accounts.update_profile(&person.ctx, update, version);
    change(name("First"), Some(1)).await.unwrap();
    let refused = change(name("Second"), Some(1)).await.unwrap_err();
    assert!(
        matches!(refused, AuthError::VersionMismatch { current: 2 }),
        "{refused:?}"
    );
    assert_eq!(refused.code(), ErrorCode::VersionMismatch);
    // Nothing to change is checked as well, and changes nothing.
    assert!(change(ProfileUpdate::default(), Some(1)).await.is_err());
    let same = change(ProfileUpdate::default(), Some(2)).await.unwrap();
    assert_eq!((same.full_name.as_str(), same.version), ("First", 2));
    // The same value again is no new version.
    assert_eq!(change(name("First"), Some(2)).await.unwrap().version, 2);
}

#[tokio::test]
async fn values_that_cannot_be_kept_are_refused() {
    let (world, person) = World::with_person().await;
    let long = preferences(json!({ "a": "x".repeat(33_000) }));
    let halves = ["a", "b"].map(|name| preferences(json!({ name: "x".repeat(20_000) })));
    // Each is 6 bytes long in JSON and 308 in the database.
    let numbers = preferences(json!({ "n": vec![1e307; 500] }));
    let update = ProfileUpdate::default;
    for (bad, pointer) in [
        (
            ProfileUpdate {
                full_name: Some("  ".to_owned()),
                ..update()
            },
            "/fullName",
        ),
        (
            ProfileUpdate {
                industry: Some("a\0".to_owned()),
                ..update()
            },
            "/industry",
        ),
        (
            ProfileUpdate {
                country: Some("x".repeat(101)),
                ..update()
            },
            "/country",
        ),
        (
            ProfileUpdate {
                phone: Some(Some("1\n2".to_owned())),
                ..update()
            },
            "/phone",
        ),
        (
            ProfileUpdate {
                avatar_url: Some(Some("javascript:x".to_owned())),
                ..update()
            },
            "/avatarUrl",
        ),
        (long, "/preferences"),
        (preferences(json!({ "a": "\0" })), "/preferences"),
        (numbers, "/preferences"),
    ] {
        let refused = world
            .accounts
            .update_profile(&person.ctx, bad, None)
            .await
            .unwrap_err();
        assert_eq!(
            refused.code(),
            ErrorCode::ValidationFailed,
            "{pointer}: {refused:?}"
        );
        assert_eq!(refused.field_errors()[0].pointer, pointer);
    }
    let [first, second] = halves;
    world
        .accounts
        .update_profile(&person.ctx, first, None)
        .await
        .unwrap();
    let refused = world
        .accounts
        .update_profile(&person.ctx, second, None)
        .await
        .unwrap_err();
    assert_eq!(
        refused.code(),
        ErrorCode::ValidationFailed,
        "what has come together counts"
    );
}

#[tokio::test]
async fn a_change_is_ones_own() {
    let (world, person) = World::with_person().await;
    let other = world.person("other@example.com").await;
    let update = ProfileUpdate {
        full_name: Some("X".to_owned()),
        ..ProfileUpdate::default()
    };
    world
        .accounts
        .update_profile(&person.ctx, update, None)
        .await
        .unwrap();
    let theirs = world.accounts.profile(&other.ctx).await.unwrap();
    assert_eq!(
        (theirs.full_name.as_str(), theirs.version),
        ("Test User", 1)
    );
}
