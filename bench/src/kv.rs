//! The key-value store: how soon a change of flags is seen on another replica, and how long
//! PostgreSQL takes for a page of a prefix among a million keys.

use crate::Result;
use eyemotion_admin::DatabaseActivityLog;
use eyemotion_core::{Ctx, SystemClock};
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use eyemotion_db::{DatabaseConfig, Db, migrate};
use eyemotion_kv::{FlagSettings, KeyValue, KvStore};
use eyemotion_ports::{Flag, Flags};
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

const KEYS: u32 = 1_000_000;
const PAGE: i64 = 100;
const PREFIXES: u32 = 500;
/// What a change that is not seen has failed by.
const LOST: Duration = Duration::from_secs(10);

/// Makes `changes` changes of a flag, and reads pages of prefixes.
pub async fn run(changes: usize) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let postgres = LocalPostgres::start(&LocalConfig {
        data_dir: directory.path().join("postgres"),
        ..LocalConfig::default()
    })
    .await?;
    let config = DatabaseConfig::new(postgres.url());
    migrate(&config).await?;
    let (here, there) = (replica(&config)?, replica(&config)?);
    let mut out = String::from(
        "| what | count | median ms | p99 ms | most ms |\n|---|---:|---:|---:|---:|\n",
    );
    let seen = flags(&here, &there, changes).await?;
    out += &row("a change of flags, until the other replica obeys", &seen);

    let (client, connection) = tokio_postgres::connect(&postgres.url(), NoTls).await?;
    let connection = tokio::spawn(connection);
    let (database, whole) = prefixes(&client, &here).await?;
    out += &row(
        "getByPrefix among 1,000,000 keys, in the database",
        &database,
    );
    out += &row("getByPrefix among 1,000,000 keys, as a call", &whole);
    drop(client);
    connection.await??;
    writeln!(std::io::stdout().lock(), "{out}")?;
    drop((here, there));
    postgres.stop().await?;
    Ok(())
}

/// As a process of its own: with connections and a cache that nobody shares.
fn replica(config: &DatabaseConfig) -> Result<KvStore> {
    let db = Db::new(config)?;
    let changes = db.changes();
    let (clock, log) = (Arc::new(SystemClock), Arc::new(DatabaseActivityLog));
    Ok(KvStore::new(db, clock, log, &changes))
}

/// From the moment in which the change is answered, microseconds.
async fn flags(here: &KvStore, there: &KvStore, changes: usize) -> Result<Histogram<u64>> {
    let ctx = Ctx::system("bench");
    let mut seen = Histogram::new(3)?;
    for number in 0..changes {
        let on = number % 2 == 1;
        let change = Map::from_iter([(Flag::Storage.as_str().to_owned(), json!(on))]);
        here.change_flags(&ctx, change).await?;
        let answered = Instant::now();
        while there.rule(Flag::Storage).await.enabled != on {
            if answered.elapsed() > LOST {
                return Err("a change of flags was not seen".into());
            }
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        seen.record(micros(answered.elapsed()))?;
    }
    Ok(seen)
}

/// PostgreSQL's own execution time, and that of the whole call, microseconds.
async fn prefixes(client: &Client, store: &KvStore) -> Result<(Histogram<u64>, Histogram<u64>)> {
    // As the platform, under the policies.
    let seed = format!(
        "INSERT INTO kv_store (namespace, key, value)
             SELECT 'bench', 'k:' || lpad(n::text, 7, '0'), jsonb_build_object('n', n)
             FROM generate_series(0, {KEYS} - 1) n;
         VACUUM ANALYZE kv_store;
         SET ROLE service_role;
         SELECT set_config('request.jwt.claim.role', 'service_role', false)"
    );
    for statement in seed.split(";\n") {
        client.batch_execute(statement).await?;
    }
    let ctx = Ctx::system("bench");
    let (mut database, mut whole) = (Histogram::new(3)?, Histogram::new(3)?);
    for number in 0..PREFIXES {
        // Each has a thousand keys, and they lie all over the table.
        let prefix = format!("k:{:04}", number * 7919 % (KEYS / 1000));
        let explain = format!(
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT key, value, version, expires_at, updated_at
             FROM kv_store WHERE namespace = 'bench' AND key >= '{prefix}'
                 AND (expires_at IS NULL OR expires_at > now()) AND key < '{prefix}:'
             ORDER BY key LIMIT {PAGE} + 1"
        );
        database.record(execution_time(client, &explain).await?)?;
        let asked = Instant::now();
        let page = store
            .get_by_prefix(&ctx, "bench", &prefix, PAGE, None)
            .await?;
        whole.record(micros(asked.elapsed()))?;
        if page.entries.len() != usize::try_from(PAGE)? || page.next.is_none() {
            return Err(format!("{prefix} found {} entries", page.entries.len()).into());
        }
    }
    Ok((database, whole))
}

async fn execution_time(client: &Client, explain: &str) -> Result<u64> {
    let messages = client.simple_query(explain).await?;
    let text = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: Value = serde_json::from_str(text.ok_or("no plan")?)?;
    let ms = plan.pointer("/0/Execution Time").and_then(Value::as_f64);
    let time = Duration::try_from_secs_f64(ms.ok_or("no time")? / 1000.0)?;
    Ok(micros(time))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn row(what: &str, times: &Histogram<u64>) -> String {
    let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
    format!(
        "| {what} | {} | {:.2} | {:.2} | {:.2} |\n",
        times.len(),
        ms(times.value_at_quantile(0.5)),
        ms(times.value_at_quantile(0.99)),
        ms(times.max()),
    )
}
