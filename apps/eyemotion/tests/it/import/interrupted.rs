use super::{command, database, import, said, text};
use crate::server::PATIENCE;
use eyemotion_testkit::TestDatabase;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Child;

/// What an import makes of people, ids of rows and times of their making left out.
const STATE: &str = "
    SELECT string_agg(concat_ws('|', u.id, u.email, password_hash, u.created_at, banned_until, full_name, role,
        preferences, plan_id, s.status, (SELECT string_agg(granted || kind, ',') FROM credit_lots l
        WHERE l.user_id = u.id), (SELECT string_agg(issuer || subject, ',') FROM auth.identities i
        WHERE i.user_id = u.id), (SELECT count(*) FROM activity_logs a WHERE a.user_id = u.id)), E'\\n' ORDER BY u.id)
    FROM auth.users u LEFT JOIN user_profiles p ON p.id = u.id LEFT JOIN subscriptions s ON s.user_id = u.id";

const WAITING: &str = "SELECT count(*)::text FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name = 'eyemotion' AND wait_event_type = 'Lock'";
const CONNECTED: &str = "SELECT count(*)::text FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name = 'eyemotion'";

async fn until(database: &TestDatabase, sql: &str, expected: &str) {
    let waited = async {
        while text(database, sql).await.as_deref() != Some(expected) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap();
}

/// Somebody about to register with an address holds the import up at its owner.
const REGISTERING: &str = "BEGIN; INSERT INTO auth.users (email) VALUES ('person13@example.com')";

/// An import that waits for whoever is registering.
async fn held_up(source: &TestDatabase, target: &TestDatabase, folder: &Path) -> Child {
    let child = command(target, &["--database-url", source.url()])
        .env("EYEMOTION_DATA_DIR", folder)
        .env("EYEMOTION_DATABASE_LOCK_TIMEOUT_SECS", "120")
        .env("EYEMOTION_DATABASE_STATEMENT_TIMEOUT_SECS", "120")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(target, WAITING, "1").await;
    child
}

#[tokio::test]
async fn a_source_that_goes_away_is_told_with_what_was_done() {
    let source = database(include_str!("today.sql")).await;
    let target = TestDatabase::new().await;
    let registering = target.admin().await;
    registering.batch_execute(REGISTERING).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let child = held_up(&source, &target, folder.path()).await;
    let cut = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'eyemotion'";
    assert_eq!(text(&source, cut).await.as_deref(), Some("1"));
    until(&source, CONNECTED, "0").await;
    registering.batch_execute("ROLLBACK").await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.unwrap().unwrap();
    assert!(
        said(&output, 1).starts_with("Brought over: 36\n"),
        "{output:?}"
    );
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("the source: "), "{complaint}");
    assert!(
        complaint.contains("the same command goes on from there"),
        "{complaint}"
    );
}

#[tokio::test]
async fn killed_in_the_middle_and_run_again_it_ends_the_same() {
    let source = database(include_str!("today.sql")).await;
    let (target, undisturbed) = (TestDatabase::new().await, TestDatabase::new().await);
    said(&import(source.url(), &undisturbed, &[]).await, 65);
    let wanted = text(&undisturbed, STATE).await;

    let registering = target.admin().await;
    registering.batch_execute(REGISTERING).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut child = held_up(&source, &target, folder.path()).await;
    child.kill().await.unwrap();
    registering.batch_execute("ROLLBACK").await.unwrap();
    until(&target, CONNECTED, "0").await;

    let arrived = "SELECT string_agg(right(id::text, 2), ' ' ORDER BY id) FROM auth.users";
    let arrived = text(&target, arrived).await.unwrap();
    assert_eq!(arrived, "01 02 03 04 05 06 07 08 09 10 11 12");
    let whole = text(&target, STATE).await.unwrap();
    let undisturbed_state = wanted.clone().unwrap();
    assert!(
        undisturbed_state.starts_with(&whole),
        "nobody is there by half:\n{whole}"
    );

    let again = said(&import(source.url(), &target, &[]).await, 65);
    assert!(
        again.starts_with("Brought over: 24\nAlready here, left as they are: 12\n"),
        "{again}"
    );
    assert_eq!(text(&target, STATE).await, wanted);
}
