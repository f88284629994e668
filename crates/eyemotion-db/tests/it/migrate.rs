//! What a migration does to a database, does again, takes back, and leaves when it fails.

mod login;

use crate::people::{Until, person, until};
use eyemotion_db::{Db, MigrateError, migrate, migrate_down, migration_status};
use eyemotion_testkit::TestDatabase;
use tokio_postgres::Client;

const NEWER: &str = "29991231000000";

/// A view that tells whether `migrations/sql` has been applied: it would be back.
const VIEW: &str = "public.credits_usage";

async fn drop_view(admin: &Client) {
    admin
        .batch_execute(&format!("drop view {VIEW}"))
        .await
        .unwrap();
}

async fn has_view(admin: &Client) -> bool {
    let there = format!("select to_regclass('{VIEW}') is not null");
    admin.query_one(&there, &[]).await.unwrap().get(0)
}

async fn set_stamp(admin: &Client, stamp: &str) {
    admin
        .batch_execute(&format!("comment on schema auth is '{stamp}'"))
        .await
        .unwrap();
}

async fn stamp(admin: &Client) -> String {
    let stamp = "select obj_description('auth'::regnamespace, 'pg_namespace')";
    admin.query_one(stamp, &[]).await.unwrap().get(0)
}

/// A database whose migrations have been taken back, all of them or the last few.
async fn down(steps: usize) -> (TestDatabase, Client) {
    let database = TestDatabase::new().await;
    migrate_down(&database.config(), steps).await.unwrap();
    let admin = database.admin().await;
    (database, admin)
}

async fn applied(database: &TestDatabase) -> Vec<bool> {
    let status = migration_status(&database.config()).await.unwrap();
    status.iter().map(|state| state.applied).collect()
}

#[tokio::test]
async fn a_repeat_changes_nothing() {
    let database = TestDatabase::new().await;
    let admin = database.admin().await;
    migrate(&database.config()).await.unwrap();
    let stamped = stamp(&admin).await;
    drop_view(&admin).await;
    assert!(migrate(&database.config()).await.unwrap().is_empty());
    assert!(
        !has_view(&admin).await,
        "it is not looked at: the stamp says what is there"
    );
    assert_eq!(stamp(&admin).await, stamped);
}

#[tokio::test]
async fn functions_and_policies_are_replaced_when_their_files_are_others() {
    let database = TestDatabase::new().await;
    let admin = database.admin().await;
    migrate(&database.config()).await.unwrap();
    let ours = stamp(&admin).await;
    let (release, _) = ours.rsplit_once(' ').unwrap();
    for theirs in [
        &format!("{release} abc"),
        "eyemotion 0.0.9 abc",
        "eyemotion abc",
        "other",
    ] {
        drop_view(&admin).await;
        set_stamp(&admin, theirs).await;
        assert!(migrate(&database.config()).await.unwrap().is_empty());
        assert!(has_view(&admin).await, "{theirs}");
        assert_eq!(stamp(&admin).await, ours);
    }
}

#[tokio::test]
async fn what_a_newer_release_has_made_is_left_to_it() {
    let database = TestDatabase::new().await;
    let admin = database.admin().await;
    drop_view(&admin).await;
    let newer = "eyemotion 99.0.0 abc";
    set_stamp(&admin, newer).await;
    assert!(migrate(&database.config()).await.unwrap().is_empty());
    assert_eq!(
        (has_view(&admin).await, stamp(&admin).await.as_str()),
        (false, newer)
    );

    // Its tables as well, even before its functions have come.
    set_stamp(&admin, "eyemotion 0.0.9 abc").await;
    let record = "insert into __diesel_schema_migrations (version) values";
    admin
        .batch_execute(&format!("{record} ('{NEWER}')"))
        .await
        .unwrap();
    assert!(migrate(&database.config()).await.unwrap().is_empty());
    assert!(!has_view(&admin).await);

    let status = migration_status(&database.config()).await.unwrap();
    let last = status.last().unwrap();
    assert_eq!((last.name.as_str(), last.applied), (NEWER, true));
    let refused = migrate_down(&database.config(), 1).await.unwrap_err();
    assert!(
        matches!(&refused, MigrateError::Newer(which) if which == NEWER),
        "{refused}"
    );
    assert!(applied(&database).await.iter().all(|applied| *applied));

    // The older release still serves.
    let person = person(&database, "a@example.com").await;
    let db = Db::new(&database.config()).unwrap();
    db.begin(&person.ctx())
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
}

#[tokio::test]
async fn steps_are_taken_back_and_made_again() {
    let database = TestDatabase::new().await;
    let config = database.config();
    let all: Vec<String> = migration_status(&config)
        .await
        .unwrap()
        .into_iter()
        .map(|state| state.name)
        .collect();
    let newest = [all[all.len() - 1].clone(), all[all.len() - 2].clone()];
    assert_eq!(migrate_down(&config, 2).await.unwrap(), newest);
    let expected: Vec<bool> = (0..all.len()).map(|at| at < all.len() - 2).collect();
    assert_eq!(applied(&database).await, expected);
    assert_eq!(migrate_down(&config, 0).await.unwrap(), [""; 0]);
    assert_eq!(migrate(&config).await.unwrap(), all[all.len() - 2..]);

    // More than there are: all. The status of an empty database makes nothing in it.
    assert_eq!(migrate_down(&config, 99).await.unwrap().len(), all.len());
    assert_eq!(migrate_down(&config, 1).await.unwrap(), [""; 0]);
    let admin = database.admin().await;
    admin
        .batch_execute("drop table __diesel_schema_migrations")
        .await
        .unwrap();
    assert!(applied(&database).await.iter().all(|applied| !applied));
    let ledger = "select to_regclass('__diesel_schema_migrations') is null";
    assert!(
        admin
            .query_one(ledger, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
    );
    assert_eq!(migrate(&config).await.unwrap(), all);
}

#[tokio::test]
async fn of_two_at_once_one_migrates_and_the_other_waits() {
    let (database, _) = down(99).await;
    let all = applied(&database).await.len();
    let config = database.config();
    let (one, two, three) = tokio::join!(migrate(&config), migrate(&config), migrate(&config));
    let mut ran = [one, two, three].map(|ran| ran.unwrap().len());
    ran.sort_unstable();
    assert_eq!(ran, [0, 0, all]);
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_half_done() {
    /// Those before the one that makes this table.
    const BEFORE: usize = 6;
    let (database, admin) = down(99).await;
    // The name is taken.
    admin
        .batch_execute("create table kv_store (somebody_elses int)")
        .await
        .unwrap();
    let error = migrate(&database.config()).await.unwrap_err();
    let MigrateError::Failed { step, message } = &error else {
        panic!("{error:?}")
    };
    assert!(
        step.ends_with("_kv") && message.contains("already exists"),
        "{error}"
    );
    let all = applied(&database).await.len();
    let expected: Vec<bool> = (0..all).map(|at| at < BEFORE).collect();
    assert_eq!(applied(&database).await, expected);

    // A failure in the middle of migrations/sql: the functions are as they were.
    admin.batch_execute("drop table kv_store").await.unwrap();
    migrate(&database.config()).await.unwrap();
    let ours = stamp(&admin).await;
    drop_view(&admin).await;
    admin
        .batch_execute(&format!("create table {VIEW} ()"))
        .await
        .unwrap();
    set_stamp(&admin, "eyemotion 0.0.9 abc").await;
    admin
        .batch_execute("drop function activity_logs_maintain")
        .await
        .unwrap();
    let error = migrate(&database.config()).await.unwrap_err().to_string();
    assert!(error.starts_with("30_views.sql: "), "{error}");
    assert_eq!(stamp(&admin).await, "eyemotion 0.0.9 abc");

    admin
        .batch_execute(&format!("drop table {VIEW}"))
        .await
        .unwrap();
    migrate(&database.config()).await.unwrap();
    assert_eq!(stamp(&admin).await, ours);
}

#[tokio::test]
async fn a_table_in_use_is_waited_for_without_holding_everybody_up() {
    let database = TestDatabase::new().await;
    let admin = database.admin().await;
    set_stamp(&admin, "eyemotion 0.0.9 abc").await;
    let user = database.admin().await;
    user.batch_execute("begin; lock table projects in access share mode")
        .await
        .unwrap();
    let config = database.config();
    let migrating = tokio::spawn(async move { migrate(&config).await });
    // It steps back, and others get through to the table meanwhile.
    let pausing = "select exists (select from pg_stat_activity where query = 'ROLLBACK' \
                   and state = 'idle' and datname = current_database())";
    database.until(pausing).await;
    admin
        .batch_execute("set lock_timeout = '20s'; select from projects")
        .await
        .unwrap();
    user.batch_execute("rollback").await.unwrap();
    migrating.await.unwrap().unwrap();
    assert!(!stamp(&admin).await.contains("0.0.9"));
}

/// A login or a database may have settings of its own.
#[tokio::test]
async fn settings_of_the_database_do_not_get_in_the_way() {
    let (database, admin) = down(99).await;
    let row = admin
        .query_one("select current_database()::text", &[])
        .await
        .unwrap();
    let name: String = row.get(0);
    let settings = [
        "search_path = elsewhere",
        "statement_timeout = 1000",
        "lock_timeout = 1",
        "default_transaction_isolation = serializable",
        "datestyle = 'German'",
    ];
    admin
        .batch_execute("create schema elsewhere")
        .await
        .unwrap();
    for setting in settings {
        admin
            .batch_execute(&format!("alter database {name} set {setting}"))
            .await
            .unwrap();
    }
    // Whoever waits for the lock waits longer than the database's limits.
    let lock = database.admin().await;
    lock.batch_execute("select pg_advisory_lock(x'6579656d6f74696f'::bigint)")
        .await
        .unwrap();
    let config = database.config();
    let migrating = tokio::spawn(async move { migrate(&config).await });
    until(
        &admin,
        "select exists (select from pg_locks where not granted)",
    )
    .await;
    drop(lock);
    migrating.await.unwrap().unwrap();
    let elsewhere = "select count(*) from pg_class where relnamespace = 'elsewhere'::regnamespace";
    assert_eq!(
        admin
            .query_one(elsewhere, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    let person = person(&database, "a@example.com").await;
    let db = Db::new(&database.config()).unwrap();
    let mut tx = db.read(&person.ctx()).await.unwrap();
    let mine = diesel::sql_query("select from user_profiles");
    let mine = diesel_async::RunQueryDsl::execute(mine, &mut tx)
        .await
        .unwrap();
    assert_eq!(mine, 1);
}
