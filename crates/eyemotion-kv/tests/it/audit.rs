use crate::world::{NS, World, new, person, system};
use eyemotion_core::{Ctx, UserRole};
use eyemotion_kv::{COMMAND_LINE, Expected, FlagSettings, KeyValue};
use serde_json::{Map, Value, json};

impl World {
    fn lines(&self) -> Vec<(&'static str, Option<String>, Value)> {
        let mut log = self.log.0.lock().unwrap();
        log.drain(..)
            .map(|line| (line.action, line.resource_id, line.details))
            .collect()
    }
}

#[tokio::test]
async fn what_people_change_is_noted_once_and_what_the_platform_does_is_not() {
    let world = World::new().await;
    let keys = ["a".to_owned(), "b".to_owned()];
    for (ctx, noted) in [
        (person(UserRole::Admin), 1),
        (Ctx::system(COMMAND_LINE), 1),
        (system().clone(), 0),
    ] {
        let store = &world.store;
        let stored = store
            .set(&ctx, NS, new("a", json!("secret")), Expected::Anything)
            .await
            .unwrap();
        let lines = world.lines();
        assert_eq!(lines.len(), noted);
        if let Some((action, id, details)) = lines.first() {
            assert_eq!((*action, id.as_deref()), ("kv.set", Some("tests/a")));
            assert_eq!(details["version"], stored.version);
            assert!(!details.to_string().contains("secret"), "{details}");
        }
        let entries = vec![new("b", json!(1)), new("a", json!(2))];
        store.mset(&ctx, NS, entries).await.unwrap();
        assert_eq!(world.lines().len(), noted);
        store.del(&ctx, NS, "a", Expected::Anything).await.unwrap();
        assert_eq!(world.lines().len(), noted);
        store.mdel(&ctx, NS, &keys).await.unwrap();
        assert_eq!(world.lines().len(), noted);

        // Reading, and what has changed nothing.
        store.get(&ctx, NS, "a").await.unwrap();
        store.mdel(&ctx, NS, &keys).await.unwrap();
        store.del(&ctx, NS, "a", Expected::Anything).await.unwrap();
        let refused = store.set(&ctx, NS, new("a", json!(1)), Expected::Present);
        assert!(refused.await.is_err());
        assert!(world.lines().is_empty());
    }
}

#[tokio::test]
async fn a_change_of_flags_is_noted_with_before_and_after() {
    let world = World::new().await;
    let admin = person(UserRole::Admin);
    let change = |name: &str, value| Map::from_iter([(name.to_owned(), value)]);
    world
        .store
        .change_flags(&admin, change("authEnabled", json!(false)))
        .await
        .unwrap();
    let rule = json!({ "enabled": true, "percentage": 10 });
    world
        .store
        .change_flags(&admin, change("backupEnabled", rule.clone()))
        .await
        .unwrap();
    world
        .store
        .change_flags(&admin, change("authEnabled", Value::Null))
        .await
        .unwrap();
    let lines = world.lines();
    let off = json!({ "authEnabled": false });
    let both = json!({ "authEnabled": false, "backupEnabled": rule });
    let left = json!({ "backupEnabled": rule });
    let expected = [(json!({}), off.clone()), (off, both.clone()), (both, left)];
    assert_eq!(lines.len(), 3);
    for ((action, id, details), (before, after)) in lines.into_iter().zip(expected) {
        assert_eq!(
            (action, id.as_deref()),
            ("flags.changed", Some("features:flags"))
        );
        assert_eq!(details, json!({ "before": before, "after": after }));
    }
}
