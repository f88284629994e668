//! Prefixes against a model: a sorted map of Rust's, whose strings sort by code points, too.

use crate::world::{NS, World, new, system};
use eyemotion_kv::{EntryPage, KeyValue, KvStore};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::collections::BTreeSet;

/// Whatever may be taken for something else, and the edges of code points.
fn letter() -> impl Strategy<Value = char> {
    prop_oneof![
        Just('a'),
        Just('b'),
        Just('%'),
        Just('_'),
        Just('\\'),
        Just('/'),
        Just(':'),
        Just('\''),
        Just('é'),
        Just('ก'),
        Just('\u{301}'),
        Just('\u{7f}'),
        Just('\u{80}'),
        Just('\u{7ff}'),
        Just('\u{800}'),
        Just('\u{d7ff}'),
        Just('\u{e000}'),
        Just('\u{ffff}'),
        Just('\u{10000}'),
        Just('\u{10fffe}'),
        Just('\u{10ffff}'),
        any::<char>().prop_filter("PostgreSQL's text has none", |c| *c != '\0'),
    ]
}

fn text(least: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(letter(), least..4).prop_map(|letters| letters.into_iter().collect())
}

async fn page(store: &KvStore, prefix: &str, limit: i64, after: Option<&str>) -> EntryPage {
    let page = store.get_by_prefix(system(), NS, prefix, limit, after);
    page.await.unwrap()
}

async fn all(store: &KvStore, prefix: &str, limit: i64) -> Vec<String> {
    let mut keys = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = page(store, prefix, limit, after.as_deref()).await;
        assert!(i64::try_from(page.entries.len()).unwrap() <= limit);
        keys.extend(page.entries.into_iter().map(|entry| entry.key));
        match page.next {
            Some(next) => after = Some(next),
            None => return keys,
        }
    }
}

#[test]
fn a_prefix_finds_what_begins_with_it_page_by_page() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let keys = prop::collection::btree_set(text(1), 1..40);
    let cases = (keys, prop::collection::vec(text(0), 8), 1_i64..6);
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&cases, |(keys, prefixes, limit)| {
        runtime.block_on(async {
            let admin = world.database.admin().await;
            admin.batch_execute("DELETE FROM kv_store").await.unwrap();
            let entries = keys.iter().map(|key| new(key, json!(key))).collect();
            world.store.mset(system(), NS, entries).await.unwrap();
            // Another namespace's, which is never found.
            let others = keys.iter().map(|key| new(key, json!(0))).collect();
            world.store.mset(system(), "other", others).await.unwrap();
            for prefix in &prefixes {
                let model: Vec<&String> = keys
                    .iter()
                    .filter(|key| key.starts_with(prefix.as_str()))
                    .collect();
                let found = all(&world.store, prefix, limit).await;
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), model, "{:?}", prefix);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

#[tokio::test]
async fn wildcards_are_letters() {
    let world = World::new().await;
    for key in ["a%b", "a_b", "a\\b", "axb", "a%", "%", "_", "\\"] {
        world.set(key, json!(key)).await;
    }
    for (prefix, expected) in [
        ("a%", &["a%", "a%b"][..]),
        ("a_", &["a_b"]),
        ("a\\", &["a\\b"]),
        ("%", &["%"]),
        ("_", &["_"]),
        ("\\", &["\\"]),
        ("a%c", &[]),
    ] {
        assert_eq!(all(&world.store, prefix, 10).await, expected, "{prefix}");
    }
}

#[tokio::test]
async fn a_page_brings_the_values_and_says_where_the_next_one_starts() {
    let world = World::new().await;
    for n in 0..5 {
        world.set(&format!("k{n}"), json!({ "n": n })).await;
    }
    let first = page(&world.store, "k", 2, None).await;
    assert_eq!(first.entries[1].value, json!({ "n": 1 }));
    assert_eq!(first.next.as_deref(), Some("k1"));
    let last = page(&world.store, "k", 5, None).await;
    assert_eq!((last.entries.len(), last.next), (5, None));
    // The page goes on from a key that was deleted meanwhile.
    let keys = ["k1".to_owned(), "k2".to_owned()];
    world.store.mdel(system(), NS, &keys).await.unwrap();
    let rest = page(&world.store, "k", 10, first.next.as_deref()).await;
    let keys: BTreeSet<_> = rest.entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, BTreeSet::from(["k3".to_owned(), "k4".to_owned()]));
}
