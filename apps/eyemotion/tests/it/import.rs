//! `eyemotion import supabase`, from another database into that of a running server.

mod interrupted;
mod trouble;

use crate::server::{BINARY, PATIENCE};
use eyemotion_testkit::{Answer, TestApp, TestDatabase};
use serde_json::{Value, json};
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const PASSWORD: &str = "correct horse";

/// Everything that an import might write.
const DIGEST: &str = "
    SELECT md5(string_agg(row, '' ORDER BY row)) FROM (
        SELECT u::text FROM auth.users u UNION ALL SELECT i::text FROM auth.identities i
        UNION ALL SELECT p::text FROM user_profiles p UNION ALL SELECT s::text FROM subscriptions s
        UNION ALL SELECT l::text FROM credit_lots l UNION ALL SELECT t::text FROM credit_txns t
        UNION ALL SELECT a::text FROM activity_logs a UNION ALL SELECT m::text FROM mail_outbox m
    ) AS everything (row)";

fn command(target: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["import", "supabase"])
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .env_clear()
        .env("DATABASE_URL", target.url())
        .kill_on_drop(true);
    command
}

/// Runs the command with the source's address on its standard input.
async fn import(source: &str, target: &TestDatabase, flags: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(target, &["--database-url", "-"])
        .args(flags)
        .env("EYEMOTION_DATA_DIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(source.as_bytes()).await.unwrap();
    drop(input);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    ended.unwrap().unwrap()
}

/// What it printed; it must have ended so.
#[track_caller]
fn said(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn complained(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(output.stdout, b"", "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

async fn database(shape: &str) -> TestDatabase {
    let database = TestDatabase::empty().await;
    database.admin().await.batch_execute(shape).await.unwrap();
    database
}

fn person(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

async fn digest(database: &TestDatabase) -> String {
    let row = database.admin().await.query_one(DIGEST, &[]).await;
    row.unwrap().get(0)
}

/// One text of one row.
async fn text(database: &TestDatabase, sql: &str) -> Option<String> {
    let row = database.admin().await.query_one(sql, &[]).await;
    row.unwrap().get(0)
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    app.anonymous().post("/auth/signin", &body).await
}

const SUMMARY: &str = "\
Already here, left as they are: 0
Refused: 6
  an anonymous account: 1
    00000000-0000-4000-8000-000000000038
  another account has the e-mail address: 2
    00000000-0000-4000-8000-000000000043
    00000000-0000-4000-8000-000000000047
  the account was deleted there: 1
    00000000-0000-4000-8000-000000000037
  the e-mail address is not valid: 1
    00000000-0000-4000-8000-000000000040
  there is no e-mail address: 1
    00000000-0000-4000-8000-000000000039
Without the old password; these people set a new one by mail:
  it is too costly to check: at most bcrypt cost 14, Argon2 m=262144, t=10, p=4: 1
    00000000-0000-4000-8000-000000000042
  its algorithm is neither bcrypt nor Argon2: 1
    00000000-0000-4000-8000-000000000041
Were more there and are users here; `eyemotion admin promote` or --keep-roles gives the role:
  admin: 1
    00000000-0000-4000-8000-000000000044
  super_admin: 1
    00000000-0000-4000-8000-000000000045
Identities that cannot be signed in with here:
  apple: 1
";

#[tokio::test]
async fn people_come_and_sign_in_with_their_old_passwords() {
    let app = TestApp::start().await;
    let here = app.register("here@example.com").await;
    let source = database(include_str!("import/today.sql")).await;
    let (before, source_before) = (digest(&app.database).await, rows(&source).await);

    let rehearsed = import(source.url(), &app.database, &["--dry-run"]).await;
    let beginning = "Dry run, nothing was written.\nWould be brought over: 35\n";
    assert_eq!(said(&rehearsed, 65), format!("{beginning}{SUMMARY}"));
    assert_eq!(digest(&app.database).await, before);

    let done = import(source.url(), &app.database, &[]).await;
    assert_eq!(said(&done, 65), format!("Brought over: 35\n{SUMMARY}"));
    let complaint = String::from_utf8(done.stderr).unwrap();
    assert!(complaint.contains("6 refused"), "{complaint}");
    for secret in ["$2a$", "$argon2", "example.com", "@"] {
        assert!(!complaint.contains(secret), "{complaint}");
    }
    assert_eq!(
        rows(&source).await,
        source_before,
        "the source is left alone"
    );
    assert_eq!(here.get("/auth/me").await.status, 200);

    // One of each make of hash.
    for n in 1..=6 {
        let email = format!("person{n}@example.com");
        let hash = format!(
            "SELECT password_hash FROM auth.users WHERE id = '{}'",
            person(n)
        );
        let foreign = text(&app.database, &hash).await.unwrap();
        assert_eq!(sign_in(&app, &email, "wrong horse").await.status, 401);
        assert_eq!(text(&app.database, &hash).await.unwrap(), foreign);
        let answer = sign_in(&app, &email, PASSWORD).await.expect(200);
        came_whole(&answer, n);
        let renewed = text(&app.database, &hash).await.unwrap();
        let ours = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(renewed.starts_with(ours) && renewed != foreign, "{renewed}");
        sign_in(&app, &email.to_uppercase(), PASSWORD)
            .await
            .expect(200);
        assert_eq!(text(&app.database, &hash).await.unwrap(), renewed);
    }
    for email in [
        "both@example.com",
        "forgiven@example.com",
        "admin@example.com",
    ] {
        let answer = sign_in(&app, email, PASSWORD).await.expect(200);
        assert_eq!(answer["user"]["profile"]["role"], "user", "{email}");
    }
    for email in ["banned@example.com", "forever@example.com"] {
        assert_eq!(
            sign_in(&app, email, PASSWORD).await.problem(403),
            "account_banned"
        );
    }
    for email in [
        "google@example.com",
        "firebase@example.com",
        "costly@example.com",
    ] {
        assert_eq!(sign_in(&app, email, PASSWORD).await.status, 401, "{email}");
    }
    let identities = "SELECT string_agg(concat_ws(' ', user_id, provider, issuer, subject, email, \
        email_verified), E'\\n' ORDER BY user_id) FROM auth.identities";
    let expected = format!(
        "{} google https://accounts.google.com 109876543210987654321 google@example.com t\n\
         {} github https://github.com 583231 github@example.com f\n\
         {} google https://accounts.google.com 109876543210987654322 other@example.com t",
        person(31),
        person(32),
        person(33)
    );
    assert_eq!(text(&app.database, identities).await.unwrap(), expected);
    let noted = "SELECT count(*)::text FROM activity_logs WHERE action = 'account.imported'";
    assert_eq!(text(&app.database, noted).await.unwrap(), "35");

    let after = digest(&app.database).await;
    let again = said(
        &import(source.url(), &app.database, &["--keep-roles"]).await,
        65,
    );
    let nobody = "Brought over: 0\nAlready here, left as they are: 35\nRefused: 6\n";
    assert!(again.starts_with(nobody), "{again}");
    assert_eq!(digest(&app.database).await, after);
}

/// What everybody of 1 to 24 has: what they had there, and what every new person gets here.
#[track_caller]
fn came_whole(answer: &Value, n: u32) {
    let (user, profile) = (&answer["user"], &answer["user"]["profile"]);
    assert_eq!(user["id"], person(n));
    assert_eq!(user["email"], format!("person{n}@example.com"));
    assert_eq!(profile["fullName"], format!("Person No. {n}"));
    assert_eq!(profile["companyName"], format!("Studio {n}"));
    assert_eq!(
        (&profile["industry"], &profile["country"]),
        (&json!("Animation"), &json!("Laos"))
    );
    assert_eq!(profile["phone"], format!("+856 20 {n}"));
    assert_eq!(profile["avatarUrl"], format!("https://example.com/{n}.png"));
    assert_eq!(profile["preferences"], json!({ "theme": "dark", "n": n }));
    assert_eq!(profile["onboardingCompleted"], true);
    assert_eq!(profile["createdAt"], "2024-04-30T03:00:00.000Z");
    let subscription = &user["subscription"];
    assert_eq!(subscription["plan"]["name"], "freemium", "{subscription}");
    assert_eq!(subscription["creditsRemaining"], 100, "{subscription}");
}

/// The source's rows.
async fn rows(source: &TestDatabase) -> Option<String> {
    let sql = "SELECT md5(string_agg(u::text, '' ORDER BY id)) FROM auth.users u";
    text(source, sql).await
}

#[tokio::test]
async fn an_early_release_is_read_too_and_roles_are_kept_on_request() {
    let source = database(include_str!("import/of_old.sql")).await;
    let app = TestApp::start().await;
    let done = import(source.url(), &app.database, &["--keep-roles"]).await;
    let summary = "Brought over: 2\nAlready here, left as they are: 0\nRefused: 0\n\
        Are more than users here, as they were there:\n  \
        admin: 1\n    00000000-0000-4000-8000-000000000001\n";
    assert_eq!(said(&done, 0), summary);
    let notes = String::from_utf8(done.stderr).unwrap();
    assert!(
        notes.contains("no banned_until") && notes.contains("no deleted_at"),
        "{notes}"
    );
    let answer = sign_in(&app, "old@example.com", PASSWORD).await.expect(200);
    let profile = &answer["user"]["profile"];
    assert_eq!(
        (&profile["role"], &profile["fullName"]),
        (&json!("admin"), &json!("From Profile"))
    );
    assert_eq!(profile["country"], "Japan");
    let subject = "SELECT issuer || ' ' || subject FROM auth.identities";
    assert_eq!(
        text(&app.database, subject).await.unwrap(),
        "https://github.com 583231"
    );
}

#[tokio::test]
async fn the_command_explains_itself() {
    let run = async |arguments: &[&str]| {
        let output = Command::new(BINARY).args(arguments).output().await.unwrap();
        said(&output, 0)
    };
    let help = run(&["import", "supabase", "--help"]).await;
    for part in [
        "--database-url <URL>",
        "--dry-run",
        "--keep-roles",
        "Exits with 65",
    ] {
        assert!(help.contains(part), "{help}");
    }
    let script = run(&["completions", "bash"]).await;
    assert!(script.contains("import") && script.contains("--keep-roles"));
    let missing = Command::new(BINARY).args(["import", "supabase"]).output();
    assert_eq!(missing.await.unwrap().status.code(), Some(2));
}
