//! How PostgreSQL answers for a prefix, as the role that asks: by a range of the primary key.

use crate::world::World;
use tokio_postgres::Client;

async fn plan(client: &Client, sql: &str) -> String {
    let rows = client.query(sql, &[]).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_prefix_is_a_range_of_the_index_under_policies() {
    let world = World::new().await;
    let client = world.database.admin().await;
    client
        .batch_execute(
            "INSERT INTO kv_store (namespace, key, value)
                 SELECT 'tests', 'k:' || lpad(n::text, 6, '0'), to_jsonb(n) FROM generate_series(1, 20000) n;
             ANALYZE kv_store;
             PREPARE by_prefix (text, text, text, timestamptz, bigint) AS
                 SELECT key, value, version, expires_at, updated_at FROM kv_store
                 WHERE namespace = $1 AND key >= $2 AND (expires_at IS NULL OR expires_at > $4) AND key < $3
                 ORDER BY key ASC LIMIT $5;
             SET plan_cache_mode = force_generic_plan;
             SET ROLE service_role;
             BEGIN;
             SELECT set_config('request.jwt.claim.role', 'service_role', true)",
        )
        .await
        .unwrap();
    let explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
        EXECUTE by_prefix('tests', 'k:0123', 'k:0124', now(), 101)";
    let shown = plan(&client, explain).await;
    let condition = shown
        .lines()
        .find(|line| line.contains("Index Cond:"))
        .unwrap_or_else(|| panic!("no index condition:\n{shown}"));
    assert!(shown.contains("Index Scan using kv_store_pkey"), "{shown}");
    assert!(
        condition.contains("key >= ") && condition.contains("key < "),
        "{shown}"
    );
    assert!(
        !shown.contains("Sort") && !shown.contains("Seq Scan"),
        "{shown}"
    );
    // It is the caller's context that lets the rows through.
    assert!(shown.contains("InitPlan"), "{shown}");
    assert!(shown.contains("rows=100 "), "{shown}");
}
