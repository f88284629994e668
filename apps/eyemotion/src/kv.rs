use crate::cli::{KvAction, KvArgs};
use crate::database::Database;
use crate::{Failure, output};
use chrono::TimeDelta;
use eyemotion_core::{Coded, Ctx};
use eyemotion_kv::{COMMAND_LINE, Entry, Expected, KeyValue, KvError, NewEntry};
use gateway::config::Settings;
use serde_json::{Value, json};
use std::io::Read;

/// Entries read at a time by `kv list`.
const PAGE: i64 = 1000;

/// `kv get`, `set`, `del` and `list`.
pub async fn run(settings: &Settings, args: KvArgs) -> Result<(), Failure> {
    let database = Database::open(settings).await?;
    let done = Box::pin(act(&database, args)).await;
    database.close().await?;
    done
}

async fn act(database: &Database, args: KvArgs) -> Result<(), Failure> {
    eyemotion_db::migrate(&database.config)
        .await
        .map_err(Failure::new)?;
    let store = gateway::kv(&database.config).map_err(Failure::new)?;
    let (ctx, namespace) = (Ctx::system(COMMAND_LINE), args.namespace);
    match args.action {
        KvAction::Get { key } => {
            let found = store.get(&ctx, &namespace, &key).await.map_err(explain)?;
            let found = found.ok_or_else(|| nothing(&namespace, &key))?;
            output::print(&(pretty(&found.value)? + "\n"))
        }
        KvAction::Set {
            key,
            value,
            ttl,
            if_version,
            if_absent,
        } => {
            let expected = match if_version {
                Some(version) => Expected::Version(version),
                None if if_absent => Expected::Absent,
                None => Expected::Anything,
            };
            let entry = NewEntry {
                key,
                value: parse(&value)?,
                ttl: ttl.map(|seconds| TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)),
            };
            let stored = store.set(&ctx, &namespace, entry, expected).await;
            let stored = stored.map_err(explain)?;
            output::print(&format!(
                "{} is at version {}\n",
                stored.key, stored.version
            ))
        }
        KvAction::Del { key } => {
            let deleted = store.del(&ctx, &namespace, &key, Expected::Anything).await;
            if deleted.map_err(explain)? {
                output::print(&format!("{key} is deleted\n"))
            } else {
                Err(nothing(&namespace, &key))
            }
        }
        KvAction::List { prefix } => {
            let mut after: Option<String> = None;
            loop {
                let page = store.get_by_prefix(&ctx, &namespace, &prefix, PAGE, after.as_deref());
                let page = page.await.map_err(explain)?;
                let lines = page.entries.iter().map(line).collect::<String>();
                output::print(&lines)?;
                match page.next {
                    Some(next) => after = Some(next),
                    None => return Ok(()),
                }
            }
        }
    }
}

/// A JSON object on one line, for `jq` and the like.
fn line(entry: &Entry) -> String {
    let shown = json!({
        "key": entry.key,
        "value": entry.value,
        "version": entry.version,
        "expiresAt": entry.expires_at,
        "updatedAt": entry.updated_at,
    });
    format!("{shown}\n")
}

fn pretty(value: &Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(Failure::new)
}

/// JSON from the command line, or with `-` from standard input.
fn parse(text: &str) -> Result<Value, Failure> {
    let mut read = String::new();
    let text = if text == "-" {
        std::io::stdin()
            .read_to_string(&mut read)
            .map_err(Failure::new)?;
        &read
    } else {
        text
    };
    serde_json::from_str(text).map_err(|error| {
        Failure::new(format!(
            "the value is not JSON ({error}); a text is written '\"like this\"'"
        ))
    })
}

fn nothing(namespace: &str, key: &str) -> Failure {
    Failure::new(format!("there is nothing under {key} in {namespace}"))
}

fn explain(error: KvError) -> Failure {
    let details: Vec<String> = error
        .field_errors()
        .iter()
        .map(|field| format!("{}: {}", field.pointer, field.detail))
        .collect();
    if details.is_empty() {
        Failure::new(error)
    } else {
        Failure::new(details.join("; "))
    }
}
