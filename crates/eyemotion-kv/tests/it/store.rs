use crate::world::{NS, World, lasting, new, system};
use chrono::TimeDelta;
use eyemotion_kv::{Expected, KeyValue, KvError};
use futures_util::future::join_all;
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn what_is_set_is_there_until_it_is_deleted() {
    let world = World::new().await;
    assert!(world.get("a").await.is_none());
    let first = world.set("a", json!({ "b": [1, null, "ก"] })).await;
    let found = world.get("a").await.unwrap();
    assert_eq!(found, first);
    assert_eq!(found.value, json!({ "b": [1, null, "ก"] }));
    let second = world.set("a", json!(null)).await;
    assert!(second.version > first.version);
    assert_eq!(world.get("a").await.unwrap().value, json!(null));
    let elsewhere = world.store.get(system(), "other", "a").await.unwrap();
    assert!(elsewhere.is_none(), "namespaces are apart");

    let del = || world.store.del(system(), NS, "a", Expected::Anything);
    assert!(del().await.unwrap());
    assert!(!del().await.unwrap());
    assert!(world.get("a").await.is_none());
    let third = world.set("a", json!(3)).await;
    assert!(
        third.version > second.version,
        "a version is never used twice"
    );
}

#[tokio::test]
async fn many_at_once_come_in_the_order_asked_for() {
    let world = World::new().await;
    let entries = vec![
        new("z", json!(1)),
        lasting("a", json!(2), 60),
        new("m", json!(3)),
    ];
    let stored = world.store.mset(system(), NS, entries).await.unwrap();
    let keys: Vec<_> = stored.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["z", "a", "m"]);
    let keys = ["m", "nothing", "a", "z", "a"].map(ToOwned::to_owned);
    let found = world.store.mget(system(), NS, &keys).await.unwrap();
    let values: Vec<_> = found
        .into_iter()
        .map(|entry| entry.map(|it| it.value))
        .collect();
    let expected = [
        Some(json!(3)),
        None,
        Some(json!(2)),
        Some(json!(1)),
        Some(json!(2)),
    ];
    assert_eq!(values, expected);
    world.clock.advance(TimeDelta::seconds(60));
    let deleted = world.store.mdel(system(), NS, &keys).await.unwrap();
    assert_eq!(deleted, 2, "what had expired was not there");
}

#[tokio::test]
async fn an_entry_is_gone_the_moment_its_time_is_over() {
    let world = World::new().await;
    let set = |entry, expected| world.store.set(system(), NS, entry, expected);
    set(lasting("a", json!(1), 10), Expected::Anything)
        .await
        .unwrap();
    world.clock.advance(TimeDelta::milliseconds(9_999));
    assert!(world.get("a").await.is_some());
    world.clock.advance(TimeDelta::milliseconds(1));
    assert!(world.get("a").await.is_none());
    let page = world.store.get_by_prefix(system(), NS, "a", 10, None);
    assert!(page.await.unwrap().entries.is_empty());
    let keys = ["a".to_owned()];
    let found = world.store.mget(system(), NS, &keys).await.unwrap();
    assert_eq!(found, [None]);
    let gone = set(new("a", json!(2)), Expected::Present).await;
    assert!(matches!(
        gone,
        Err(KvError::VersionMismatch { current: None })
    ));

    let again = set(lasting("a", json!(2), 10), Expected::Absent)
        .await
        .unwrap();
    assert_eq!(world.get("a").await.unwrap(), again);
    // Without a time to live, what it had is over too.
    world.set("a", json!(3)).await;
    world.clock.advance(TimeDelta::days(400));
    assert_eq!(world.get("a").await.unwrap().expires_at, None);
}

#[tokio::test]
async fn the_sweep_takes_what_has_expired_and_nothing_else() {
    let world = World::new().await;
    for number in 0..30 {
        let entries = (0..100)
            .map(|n| lasting(&format!("{number}:{n}"), json!(n), 10))
            .collect();
        world.store.mset(system(), NS, entries).await.unwrap();
    }
    world
        .store
        .set(
            system(),
            NS,
            lasting("later", json!(1), 11),
            Expected::Anything,
        )
        .await
        .unwrap();
    world.set("stays", json!(1)).await;
    world.clock.advance(TimeDelta::seconds(10));
    assert_eq!(world.store.sweep(system()).await.unwrap(), 3000);
    assert_eq!(world.store.sweep(system()).await.unwrap(), 0);
    let rows = world
        .database
        .admin()
        .await
        .query("SELECT key FROM kv_store ORDER BY key", &[])
        .await
        .unwrap();
    let keys: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(keys, ["later", "stays"]);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_changes_nothing() {
    let world = World::new().await;
    let set = |value, expected| world.store.set(system(), NS, new("a", value), expected);
    let del = |expected| world.store.del(system(), NS, "a", expected);
    let mismatch = |result: Result<_, KvError>, current: Option<i64>| match result {
        Err(KvError::VersionMismatch { current: told }) => assert_eq!(told, current),
        other => panic!("{other:?}"),
    };
    mismatch(set(json!(1), Expected::Present).await.map(|_| false), None);
    mismatch(
        set(json!(1), Expected::Version(7)).await.map(|_| false),
        None,
    );
    mismatch(del(Expected::Present).await, None);
    let first = set(json!(1), Expected::Absent).await.unwrap();
    let current = Some(first.version);
    mismatch(
        set(json!(2), Expected::Absent).await.map(|_| false),
        current,
    );
    mismatch(
        set(json!(2), Expected::Version(first.version - 1))
            .await
            .map(|_| false),
        current,
    );
    mismatch(del(Expected::Version(first.version + 1)).await, current);
    assert_eq!(world.get("a").await.unwrap(), first);

    let second = set(json!(2), Expected::Version(first.version))
        .await
        .unwrap();
    assert!(second.version > first.version);
    assert!(del(Expected::Version(second.version)).await.unwrap());
    // Deleted and made anew, it is another one: who still holds the old version is told.
    let third = set(json!(1), Expected::Absent).await.unwrap();
    mismatch(
        set(json!(9), Expected::Version(first.version))
            .await
            .map(|_| false),
        Some(third.version),
    );
}

#[tokio::test]
async fn of_many_who_compare_and_set_one_wins() {
    let world = World::new().await;
    let first = world.set("a", json!("start")).await;
    let racers = (0..20).map(|n| {
        let entry = new("a", json!(n));
        world
            .store
            .set(system(), NS, entry, Expected::Version(first.version))
    });
    let won: BTreeSet<String> = join_all(racers)
        .await
        .into_iter()
        .filter_map(Result::ok)
        .map(|entry| entry.value.to_string())
        .collect();
    assert_eq!(won.len(), 1, "{won:?}");
    assert!(won.contains(&world.get("a").await.unwrap().value.to_string()));

    let makers = (0..20).map(|n| {
        let entry = new("new", json!(n));
        world.store.set(system(), NS, entry, Expected::Absent)
    });
    let made = join_all(makers).await.into_iter().flatten();
    assert_eq!(made.count(), 1);
}

#[tokio::test]
async fn writers_of_the_same_keys_in_another_order_do_not_lock_each_other_out() {
    let world = World::new().await;
    let keys: Vec<String> = (0..50).map(|n| format!("k{n}")).collect();
    let writers = (0..16).map(|writer| {
        let mut keys = keys.clone();
        if writer % 2 == 0 {
            keys.reverse();
        }
        let entries = keys.iter().map(|key| new(key, json!(writer))).collect();
        async { world.store.mset(system(), NS, entries).await }
    });
    for written in join_all(writers).await {
        assert_eq!(written.unwrap().len(), 50);
    }
}
