use super::{complained, database, import};
use crate::server::folder;
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use eyemotion_testkit::TestDatabase;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

#[tokio::test]
async fn what_cannot_be_a_source_is_told_and_nothing_is_made() {
    let target = TestDatabase::empty().await;
    let nothing = database("CREATE TABLE public.profiles (id uuid)").await;
    let lacking =
        database("CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid, email text)").await;
    let ours = TestDatabase::new().await;
    for (source, complaint) in [
        (
            "postgres://me:canary@127.0.0.1:1/x",
            "the source: cannot connect to the database",
        ),
        (
            "mysql://me:canary@db/x",
            "the source: the database URL is not valid",
        ),
        (
            nothing.url(),
            "not a Supabase database: it has no auth.users",
        ),
        (lacking.url(), "its auth.users lacks encrypted_password"),
        (ours.url(), "this is an EyeMotion database"),
    ] {
        let said = complained(&import(source, &target, &[]).await, 1);
        assert!(
            said.contains(complaint) && !said.contains("canary"),
            "{said}"
        );
    }
    let made = "SELECT to_regnamespace('auth')::text";
    assert_eq!(super::text(&target, made).await, None);
}

#[tokio::test]
async fn a_database_is_not_brought_over_to_itself() {
    let source = database(include_str!("today.sql")).await;
    // By another name.
    let url = format!("{}?application_name=other", source.url());
    let said = complained(&import(&url, &source, &[]).await, 1);
    assert!(
        said.contains("source and target are one database"),
        "{said}"
    );
    let other = TestDatabase::empty().await;
    let said = complained(&import(source.url(), &other, &["--dry-run"]).await, 1);
    assert!(said.contains("eyemotion migrate up"), "{said}");
    let schemas = "SELECT to_regnamespace('auth')::text";
    assert_eq!(
        super::text(&other, schemas).await,
        None,
        "a dry run makes no schema"
    );
}

#[tokio::test]
async fn a_login_that_may_not_see_everybody_is_told() {
    let folder = folder();
    let rules = folder.path().join("pg_hba.conf");
    fs::write(
        &rules,
        "local all eyemotion trust\nlocal all all scram-sha-256\n",
    )
    .unwrap();
    fs::set_permissions(&rules, fs::Permissions::from_mode(0o644)).unwrap();
    let config = LocalConfig {
        data_dir: folder.path().to_owned(),
        bin_dir: std::env::var_os("EYEMOTION_PG_BIN").map(PathBuf::from),
        settings: vec![("hba_file".to_owned(), rules.to_str().unwrap().to_owned())],
        ephemeral: true,
    };
    let server = LocalPostgres::start(&config).await.unwrap();
    let (as_owner, target) = (server.url(), TestDatabase::new().await);
    let prepare = async |sql: &str| {
        let status = tokio::process::Command::new(server.bin_dir().join("psql"))
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, &as_owner])
            .status();
        assert!(status.await.unwrap().success());
    };
    prepare(include_str!("today.sql")).await;
    prepare("CREATE ROLE reader LOGIN PASSWORD 'canary'").await;
    let login = |password: &str| as_owner.replacen("eyemotion@", &format!("reader:{password}@"), 1);

    let wrong = complained(&import(&login("wrong-canary"), &target, &[]).await, 1);
    assert!(
        wrong.contains("password authentication failed for user"),
        "{wrong}"
    );
    let closed = complained(&import(&login("canary"), &target, &[]).await, 1);
    assert!(
        closed.contains("permission denied for schema auth"),
        "{closed}"
    );
    assert!(
        closed.contains("a login that may read every row"),
        "{closed}"
    );
    prepare("GRANT USAGE ON SCHEMA auth TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA auth, public TO reader").await;
    // Its rows would be hidden, and nobody would be brought over without a word.
    let hidden = complained(&import(&login("canary"), &target, &[]).await, 1);
    assert!(hidden.contains("row-level security"), "{hidden}");
    assert!(!(wrong + &closed + &hidden).contains("canary"));
    server.stop().await.unwrap();
}
