use crate::world::{World, new, person, system};
use eyemotion_core::UserRole;
use eyemotion_kv::{DEFAULT_NAMESPACE, Expected, FLAGS_KEY, FlagSettings, KeyValue, KvError};
use eyemotion_ports::{Flag, FlagRule, Flags};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn changes(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn everything_is_on_until_somebody_switches_it_off() {
    let world = World::new().await;
    let on: BTreeMap<Flag, FlagRule> = Flag::ALL
        .into_iter()
        .map(|flag| (flag, FlagRule::default()))
        .collect();
    assert_eq!(world.store.flags(system()).await.unwrap(), on);
    for flag in Flag::ALL {
        assert!(world.store.rule(flag).await.enabled);
    }
    let change = json!({ "paymentsEnabled": false, "storageEnabled": { "enabled": true, "plans": ["pro"] } });
    let told = world
        .store
        .change_flags(system(), changes(change))
        .await
        .unwrap();
    assert!(!told[&Flag::Payments].enabled);
    assert!(!world.store.rule(Flag::Payments).await.enabled);
    assert!(world.store.rule(Flag::Auth).await.enabled);
    let plans = world.store.rule(Flag::Storage).await.plans.clone();
    assert_eq!(plans, Some(vec!["pro".to_owned()]));
    let back = json!({ "paymentsEnabled": null, "storageEnabled": true });
    let told = world
        .store
        .change_flags(system(), changes(back))
        .await
        .unwrap();
    assert_eq!(told, on);
}

#[tokio::test]
async fn nonsense_is_refused_whichever_way_it_comes() {
    let world = World::new().await;
    for (value, pointer) in [
        (json!({ "authEnable": true }), "authEnable"),
        (json!({ "authEnabled": "off" }), "authEnabled"),
        (json!({ "authEnabled": {} }), "authEnabled/enabled"),
        (json!({ "a/b~": true }), "a~1b~0"),
    ] {
        let told = world
            .store
            .change_flags(system(), changes(value.clone()))
            .await;
        let Err(KvError::Invalid(faults)) = told else {
            panic!("{value} was taken");
        };
        assert_eq!(faults[0].pointer, format!("/{pointer}"));
        let entry = new(FLAGS_KEY, value.clone());
        let told = world
            .store
            .set(system(), DEFAULT_NAMESPACE, entry, Expected::Anything)
            .await;
        let Err(KvError::Invalid(faults)) = told else {
            panic!("{value} was set");
        };
        assert_eq!(faults[0].pointer, format!("/value/{pointer}"));
        let entries = vec![new("other", json!(1)), new(FLAGS_KEY, value)];
        let told = world.store.mset(system(), DEFAULT_NAMESPACE, entries).await;
        assert!(matches!(told, Err(KvError::Invalid(_))));
    }
    let entry = new(FLAGS_KEY, json!([]));
    let told = world
        .store
        .set(system(), DEFAULT_NAMESPACE, entry, Expected::Anything)
        .await;
    assert!(matches!(told, Err(KvError::Invalid(_))));
    let unknown_to_forget = changes(json!({ "nothing": null }));
    let told = world.store.change_flags(system(), unknown_to_forget).await;
    assert!(matches!(told, Err(KvError::Invalid(_))));
    let user = person(UserRole::User);
    assert!(matches!(
        world.store.change_flags(&user, Map::new()).await,
        Err(KvError::Forbidden)
    ));
}

#[tokio::test]
async fn what_was_written_past_us_is_believed_as_far_as_it_makes_sense() {
    let world = World::new().await;
    let sql = r#"INSERT INTO kv_store (key, value) VALUES ('features:flags',
        '{"authEnabled": "no", "paymentsEnabled": false, "moonEnabled": true}')"#;
    world
        .database
        .admin()
        .await
        .execute(sql, &[])
        .await
        .unwrap();
    assert!(world.store.rule(Flag::Auth).await.enabled);
    assert!(!world.store.rule(Flag::Payments).await.enabled);
}

#[tokio::test]
async fn changes_at_the_same_time_all_count() {
    let world = World::new().await;
    let all = Flag::ALL.map(|flag| {
        let change = Map::from_iter([(flag.as_str().to_owned(), json!(false))]);
        let store = &world.store;
        async move { store.change_flags(system(), change).await }
    });
    for changed in join_all(all).await {
        changed.unwrap();
    }
    for flag in Flag::ALL {
        assert!(!world.store.rule(flag).await.enabled, "{flag:?}");
    }
}
