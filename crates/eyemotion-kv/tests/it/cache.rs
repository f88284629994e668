//! Two processes with a cache each.

use crate::world::{NS, PATIENCE, World, lasting, new, system};
use chrono::TimeDelta;
use eyemotion_kv::{Expected, FlagSettings, KeyValue, KvStore};
use eyemotion_ports::{Flag, Flags};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

async fn value(store: &KvStore, key: &str) -> Option<Value> {
    let found = store.get(system(), NS, key).await.unwrap();
    found.map(|entry| entry.value.clone())
}

/// Awaits that `holds`; how long it took.
async fn until(holds: impl AsyncFn() -> bool) -> Duration {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "it never came about");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}

/// Reads until an answer comes from memory, for which the database is changed behind the back of
/// the announcement.
async fn keeps(world: &World, store: &KvStore) {
    let admin = world.database.admin().await;
    let behind = "SET session_replication_role = replica; UPDATE kv_store SET value = '\"behind\"' WHERE key = 'k'";
    world.set("k", json!("before")).await;
    until(async || {
        let sql = "UPDATE kv_store SET value = '\"before\"' WHERE key = 'k'";
        admin
            .batch_execute("SET session_replication_role = origin")
            .await
            .unwrap();
        admin.batch_execute(sql).await.unwrap();
        until(async || value(store, "k").await == Some(json!("before"))).await;
        admin.batch_execute(behind).await.unwrap();
        value(store, "k").await == Some(json!("before"))
    })
    .await;
}

#[tokio::test]
async fn a_change_is_seen_on_the_other_replica_within_a_second() {
    let world = World::new().await;
    let (here, there) = (world.replica(), world.replica());
    keeps(&world, &there).await;
    for n in 0..20 {
        let entry = new("a", json!(n));
        here.set(system(), NS, entry, Expected::Anything)
            .await
            .unwrap();
        assert_eq!(value(&here, "a").await, Some(json!(n)), "one's own at once");
        let took = until(async || value(&there, "a").await == Some(json!(n))).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    here.del(system(), NS, "a", Expected::Anything)
        .await
        .unwrap();
    assert_eq!(value(&here, "a").await, None);
    let took = until(async || value(&there, "a").await.is_none()).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    // What is not there is kept, too.
    let entry = new("a", json!("again"));
    here.set(system(), NS, entry, Expected::Absent)
        .await
        .unwrap();
    let took = until(async || value(&there, "a").await.is_some()).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_statement_that_changes_much_empties_the_cache() {
    let world = World::new().await;
    let there = world.replica();
    for n in 0..200 {
        world.set(&format!("k{n}"), json!("old")).await;
    }
    until(async || value(&there, "k0").await.is_some()).await;
    let sql = "UPDATE kv_store SET value = '\"new\"'";
    world
        .database
        .admin()
        .await
        .execute(sql, &[])
        .await
        .unwrap();
    for n in [0, 150, 199] {
        let key = format!("k{n}");
        let took = until(async || value(&there, &key).await == Some(json!("new"))).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test]
async fn what_is_kept_expires_by_the_clock() {
    let world = World::new().await;
    let store = world.replica();
    keeps(&world, &store).await;
    let entry = lasting("short", json!(1), 10);
    store
        .set(system(), NS, entry, Expected::Anything)
        .await
        .unwrap();
    assert!(value(&store, "short").await.is_some());
    world.clock.advance(TimeDelta::seconds(10));
    assert!(value(&store, "short").await.is_none());
}

#[tokio::test]
async fn keys_with_anything_in_them_are_told_apart() {
    let world = World::new().await;
    let (here, there) = (world.replica(), world.replica());
    keeps(&world, &there).await;
    let long = "ก\"\\\u{1}".repeat(128);
    for key in ["a\nb", "a:b", "*", "[\"a\",\"b\"]", "\u{10ffff}", &long] {
        for n in 0..2 {
            let entry = new(key, json!(n));
            here.set(system(), NS, entry, Expected::Anything)
                .await
                .unwrap();
            assert_eq!(value(&here, key).await, Some(json!(n)), "{key:?}");
            let took = until(async || value(&there, key).await == Some(json!(n))).await;
            assert!(took < Duration::from_secs(1), "{key:?}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_flag_is_seen_on_the_other_replica_within_a_second() {
    let world = World::new().await;
    let (here, there) = (world.replica(), world.replica());
    for n in 0..20 {
        let on = n % 2 == 1;
        let change = Map::from_iter([("storageEnabled".to_owned(), json!(on))]);
        here.change_flags(system(), change).await.unwrap();
        assert_eq!(
            here.rule(Flag::Storage).await.enabled,
            on,
            "one's own at once"
        );
        let took = until(async || there.rule(Flag::Storage).await.enabled == on).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    // Whichever way it was written.
    let entry = new("features:flags", json!({ "storageEnabled": false }));
    here.set(system(), "default", entry, Expected::Anything)
        .await
        .unwrap();
    let took = until(async || !there.rule(Flag::Storage).await.enabled).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    here.del(system(), "default", "features:flags", Expected::Anything)
        .await
        .unwrap();
    let took = until(async || there.rule(Flag::Storage).await.enabled).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}
