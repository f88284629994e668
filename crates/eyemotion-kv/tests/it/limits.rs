use crate::world::{NS, World, lasting, new, person, system};
use chrono::TimeDelta;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Actor, ApiKeyId, UserRole};
use eyemotion_db::Db;
use eyemotion_kv::{Expected, KeyValue, KvError, NewEntry};
use serde_json::{Value, json};
use uuid::Uuid;

/// The place of the fault.
fn fault<T: std::fmt::Debug>(result: Result<T, KvError>) -> String {
    match result {
        Err(KvError::Invalid(faults)) => faults[0].pointer.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_and_namespaces_have_bounds() {
    let world = World::new().await;
    let longest = "ก".repeat(512);
    world.set(&longest, json!(1)).await;
    assert!(world.get(&longest).await.is_some());
    let too_long = "a".repeat(513);
    for key in ["", "a\0b", &too_long] {
        let get = world.store.get(system(), NS, key).await;
        assert_eq!(fault(get), "key", "{key:?}");
        let entry = new(key, json!(1));
        let set = world.store.set(system(), NS, entry, Expected::Anything);
        assert_eq!(fault(set.await), "key", "{key:?}");
        let keys = ["a".to_owned(), key.to_owned()];
        let mget = world.store.mget(system(), NS, &keys).await;
        assert_eq!(fault(mget), "/keys/1", "{key:?}");
    }
    let longest = "n".repeat(64);
    assert!(world.store.get(system(), &longest, "a").await.is_ok());
    for namespace in ["", ".a", "a/b", "ก", "a b", "a\0", &"n".repeat(65)] {
        let get = world.store.get(system(), namespace, "a").await;
        assert_eq!(fault(get), "namespace", "{namespace:?}");
    }
    let page = world.store.get_by_prefix(system(), NS, "a\0", 1, None);
    assert_eq!(fault(page.await), "prefix");
    for limit in [0, -1, 1001, i64::MAX] {
        let page = world.store.get_by_prefix(system(), NS, "", limit, None);
        assert_eq!(fault(page.await), "limit");
    }
}

#[tokio::test]
async fn at_most_a_hundred_and_each_once() {
    let world = World::new().await;
    let entries = |count: i64| -> Vec<NewEntry> {
        (0..count).map(|n| new(&n.to_string(), json!(n))).collect()
    };
    let mset = |entries| world.store.mset(system(), NS, entries);
    assert_eq!(mset(entries(100)).await.unwrap().len(), 100);
    assert_eq!(fault(mset(entries(101)).await), "/entries");
    assert_eq!(fault(mset(Vec::new()).await), "/entries");
    let twice = vec![new("a", json!(1)), new("b", json!(1)), new("a", json!(2))];
    assert_eq!(fault(mset(twice).await), "/entries/2/key");
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(fault(world.store.mget(system(), NS, &many).await), "/keys");
    assert_eq!(fault(world.store.mdel(system(), NS, &[]).await), "/keys");
}

#[tokio::test]
async fn values_have_bounds_and_hold_no_nul() {
    let world = World::new().await;
    let set = |entry| world.store.set(system(), NS, entry, Expected::Anything);
    // Two quotation marks belong to it.
    let largest = Value::String("x".repeat(1024 * 1024 - 2));
    assert_eq!(set(new("a", largest.clone())).await.unwrap().value, largest);
    let more = Value::String("x".repeat(1024 * 1024 - 1));
    assert_eq!(fault(set(new("a", more)).await), "/value");
    // Small as it is sent, large as PostgreSQL writes it: `1, 1, 1 ...`, and numbers in full.
    let spaced = Value::Array(vec![json!(1); 400_000]);
    assert_eq!(fault(set(new("a", spaced)).await), "/value");
    let written_out = Value::Array(vec![json!(1e308); 5_000]);
    assert_eq!(fault(set(new("a", written_out)).await), "/value");
    for value in [json!("\0"), json!({ "a": ["b\0"] }), json!({ "a\0": 1 })] {
        assert_eq!(fault(set(new("a", value)).await), "/value");
    }
    for seconds in [0, -1, 3_155_760_001] {
        let entry = lasting("a", json!(1), seconds);
        assert_eq!(fault(set(entry).await), "/ttlSeconds", "{seconds}");
    }
    let forever = NewEntry {
        ttl: Some(TimeDelta::MAX),
        ..new("a", json!(1))
    };
    assert_eq!(fault(set(forever).await), "/ttlSeconds");
    let entries = vec![new("a", json!(1)), new("b", json!("\0"))];
    let mset = world.store.mset(system(), NS, entries).await;
    assert_eq!(fault(mset), "/entries/1/value");
}

#[tokio::test]
async fn the_store_is_for_the_platform_its_operators_and_programs() {
    let world = World::new().await;
    let key = system().with_actor(Actor::ApiKey {
        id: ApiKeyId(Uuid::now_v7()),
    });
    for ctx in [
        system().clone(),
        key,
        person(UserRole::Admin),
        person(UserRole::SuperAdmin),
    ] {
        let entry = new("a", json!(1));
        let set = world.store.set(&ctx, NS, entry, Expected::Anything).await;
        assert!(set.is_ok(), "{ctx:?}");
        assert!(world.store.get(&ctx, NS, "a").await.unwrap().is_some());
    }
    let user = person(UserRole::User);
    let nobody = system().with_actor(Actor::Anonymous);
    for (ctx, forbidden) in [(user, true), (nobody, false)] {
        let keys = ["a".to_owned()];
        let entry = || new("a", json!(2));
        let store = &world.store;
        let refusals = [
            store.get(&ctx, NS, "a").await.err(),
            store.mget(&ctx, NS, &keys).await.err(),
            store.get_by_prefix(&ctx, NS, "", 1, None).await.err(),
            store.set(&ctx, NS, entry(), Expected::Anything).await.err(),
            store.mset(&ctx, NS, vec![entry()]).await.err(),
            store.del(&ctx, NS, "a", Expected::Anything).await.err(),
            store.mdel(&ctx, NS, &keys).await.err(),
        ];
        for refusal in refusals {
            let told = matches!(refusal, Some(KvError::Forbidden)) == forbidden
                && matches!(refusal, Some(KvError::Unauthenticated)) != forbidden;
            assert!(told, "{ctx:?}: {refusal:?}");
        }
    }
    let sweep = world.store.sweep(&person(UserRole::SuperAdmin)).await;
    assert!(matches!(sweep, Err(KvError::Forbidden)));
    assert_eq!(world.get("a").await.unwrap().value, json!(1));
}

/// A route that forgets what a key may do lends it nothing: only a use case of the platform's own
/// reaches a row.
#[tokio::test]
async fn to_the_database_a_program_with_a_key_is_nobody() {
    let world = World::new().await;
    world.set("a", json!(1)).await;
    let admin = world.database.admin().await;
    let person = "INSERT INTO auth.users (email) VALUES ('person@example.com')";
    admin.batch_execute(person).await.unwrap();
    let key = system().with_actor(Actor::ApiKey {
        id: ApiKeyId(Uuid::now_v7()),
    });
    let db = Db::new(&world.database.config()).unwrap();
    for sql in [
        "UPDATE kv_store SET value = '2'",
        "UPDATE auth.users SET email = 'x'",
        "DELETE FROM kv_store",
    ] {
        let mut own = db.begin(&key).await.unwrap();
        let refused = diesel::sql_query(sql).execute(&mut own).await;
        assert!(refused.is_err(), "{sql}");
        let mut lent = db.begin_for(&key).await.unwrap();
        let reached = diesel::sql_query(sql).execute(&mut lent).await;
        assert_eq!(reached.unwrap(), 0, "{sql}");
    }
    let mut lent = db.begin_for(&key).await.unwrap();
    let insert = "INSERT INTO kv_store (key, value) VALUES ('b', '1')";
    assert!(diesel::sql_query(insert).execute(&mut lent).await.is_err());
    assert!(world.get("a").await.is_some());
}
