//! `eyemotion kv` on the database of a running server.

use crate::server::{BINARY, PATIENCE};
use eyemotion_testkit::TestApp;
use serde_json::{Value, json};
use std::process::Output;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Runs `eyemotion kv` with these arguments.
async fn kv(app: &TestApp, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(BINARY)
        .arg("kv")
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", app.database.url())
        .env("EYEMOTION_DATA_DIR", folder.path())
        .output();
    tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap()
}

/// What it printed, if it succeeded.
fn said(output: &Output) -> String {
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it complained of, if it failed.
fn complained(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn values_are_set_shown_listed_and_deleted() {
    let app = TestApp::start().await;
    let missing = complained(&kv(&app, &["get", "a"]).await);
    assert!(
        missing.contains("there is nothing under a in default"),
        "{missing}"
    );
    said(&kv(&app, &["set", "a%1", r#"{"n": [1, "ก"]}"#]).await);
    said(&kv(&app, &["set", "a1", "2", "--ttl", "3600"]).await);
    said(&kv(&app, &["--namespace", "other", "set", "a%1", "3"]).await);
    let shown: Value = serde_json::from_str(&said(&kv(&app, &["get", "a%1"]).await)).unwrap();
    assert_eq!(shown, json!({ "n": [1, "ก"] }));
    let lines = said(&kv(&app, &["list", "a%"]).await);
    let [line] = lines.lines().collect::<Vec<_>>()[..] else {
        panic!("{lines}");
    };
    let entry: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&entry["key"], &entry["expiresAt"]),
        (&json!("a%1"), &Value::Null)
    );
    assert_eq!(said(&kv(&app, &["list"]).await).lines().count(), 2);

    let version = entry["version"].to_string();
    let taken = kv(&app, &["set", "a%1", "4", "--if-absent"]).await;
    assert!(complained(&taken).contains(&version));
    said(&kv(&app, &["set", "a%1", "4", "--if-version", &version]).await);
    let stale = kv(&app, &["set", "a%1", "5", "--if-version", &version]).await;
    assert!(complained(&stale).contains("changed in the meantime"));
    let text = complained(&kv(&app, &["set", "a", "text"]).await);
    assert!(text.contains("not JSON"), "{text}");
    said(&kv(&app, &["del", "a%1"]).await);
    complained(&kv(&app, &["del", "a%1"]).await);
}

#[tokio::test]
async fn a_flag_set_on_the_command_line_is_obeyed_within_a_second() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous();
    assert_eq!(anonymous.get("/payments/plans").await.status, 200);
    let wrong = kv(&app, &["set", "features:flags", r#"{"moonEnabled": true}"#]).await;
    assert!(complained(&wrong).contains("there is no such flag"));
    for (value, status) in [("false", 503), ("true", 200)] {
        let flags = format!(r#"{{"paymentsEnabled": {value}}}"#);
        said(&kv(&app, &["set", "features:flags", &flags]).await);
        let started = Instant::now();
        while anonymous.get("/payments/plans").await.status != status {
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "it is not obeyed"
            );
        }
    }
    let log = "SELECT count(*) FROM activity_logs WHERE details->>'actor' = 'system:cli'";
    let admin = app.database.admin().await;
    let lines: i64 = admin.query_one(log, &[]).await.unwrap().get(0);
    assert_eq!(lines, 2);
}
