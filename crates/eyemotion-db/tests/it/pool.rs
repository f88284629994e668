//! Servers that restart, pools that are empty, statements that take too long: what a caller may
//! try again later, and that the next request succeeds.

use crate::people::{Until, person};
use crate::server::Server;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Coded, Ctx, ErrorCode};
use eyemotion_db::{Db, DbError, Tx, migrate};
use eyemotion_testkit::TestDatabase;
use std::time::Duration;
use tokio_postgres::Client;

fn system() -> Ctx {
    Ctx::system("test")
}

async fn run(tx: &mut Tx, sql: &str) -> Result<usize, DbError> {
    Ok(diesel::sql_query(sql).execute(tx).await?)
}

async fn plans(db: &Db) -> Result<usize, DbError> {
    run(
        &mut db.read(&system()).await?,
        "select from subscription_plans",
    )
    .await
}

/// The gateway answers it 503, with a Retry-After.
#[track_caller]
fn is_passing<T>(result: Result<T, DbError>) -> String {
    let error = result.err().expect("it should have failed");
    let DbError::Unavailable(cause) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(error.code(), ErrorCode::DatabaseUnavailable);
    assert!(error.retry_after().is_some());
    cause.to_string()
}

/// Whatever the pool's connections meet, only passing errors, and then success.
async fn recovers(db: &Db) {
    let recovered = async {
        loop {
            match plans(db).await {
                Ok(plans) => return assert_eq!(plans, 4),
                passing => drop(is_passing(passing)),
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), recovered)
        .await
        .expect("no recovery");
}

async fn terminate_all(admin: &Client) {
    let others = "select pg_terminate_backend(pid) from pg_stat_activity where \
                  datname = current_database() and pid <> pg_backend_pid() \
                  and application_name = 'eyemotion'";
    admin.batch_execute(others).await.unwrap();
}

#[tokio::test]
async fn a_restart_of_the_server_is_survived() {
    let server = Server::start(&[]).await;
    let config = server.config("eyemotion", "eyemotion");
    migrate(&config).await.unwrap();
    let db = Db::new(&config).unwrap();
    let mut open = db.begin(&system()).await.unwrap();
    run(&mut open, "update subscription_plans set is_active = false")
        .await
        .unwrap();
    plans(&db).await.unwrap();

    let server = server.restart().await;
    is_passing(run(&mut open, "select").await);
    assert!(matches!(open.commit().await, Err(DbError::Aborted)));
    recovers(&db).await;
    let mut tx = db.read(&system()).await.unwrap();
    let lost = "select from subscription_plans where not is_active";
    assert_eq!(run(&mut tx, lost).await.unwrap(), 0);
    drop(server);
}

#[tokio::test]
async fn connections_that_were_ended_are_replaced() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let admin = database.admin().await;
    // Several at once, so that several lie idle.
    let (mut one, mut two) = (
        db.begin(&system()).await.unwrap(),
        db.begin(&system()).await.unwrap(),
    );
    for tx in [&mut one, &mut two] {
        run(tx, "select").await.unwrap();
    }
    drop(two);
    terminate_all(&admin).await;
    // Nobody knows whether it was committed, so the caller must ask again.
    is_passing(one.commit().await);
    recovers(&db).await;

    // One in the middle of a statement.
    let busy = tokio::spawn({
        let db = db.clone();
        async move { run(&mut db.begin(&system()).await?, "select pg_sleep(60)").await }
    });
    let sleeping = "select exists (select from pg_stat_activity \
                    where wait_event = 'PgSleep' and datname = current_database())";
    database.until(sleeping).await;
    terminate_all(&admin).await;
    is_passing(busy.await.unwrap());
    recovers(&db).await;
}

#[tokio::test]
async fn an_unreachable_server_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("host={} user=eyemotion", folder.path().display());
    let db = Db::new(&eyemotion_db::DatabaseConfig::new(url)).unwrap();
    let said = is_passing(plans(&db).await);
    assert!(
        said.contains("error connecting to server: No such file"),
        "{said}"
    );
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_unavailable_and_then_is_not() {
    let database = TestDatabase::new().await;
    let mut config = database.config();
    config.pool_size = 1;
    config.acquire_timeout = Duration::from_millis(200);
    let db = Db::new(&config).unwrap();
    let mut held = db.begin(&system()).await.unwrap();
    run(&mut held, "select").await.unwrap();
    let said = is_passing(db.begin(&system()).await.map(drop));
    assert!(said.contains("no connection in time"), "{said}");
    drop(held);
    assert_eq!(plans(&db).await.unwrap(), 4);
    db.close();
    is_passing(db.begin(&system()).await.map(drop));
}

/// The pool keeps its connections apart by core; whoever waits, waits for all of them.
#[tokio::test]
async fn whichever_connection_comes_free_is_given_to_who_waits() {
    let database = TestDatabase::new().await;
    let mut config = database.config();
    config.pool_size = 3;
    config.acquire_timeout = Duration::from_mins(1);
    let db = Db::new(&config).unwrap();
    let ctx = system();
    for freed in 0..3 {
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(db.begin(&ctx).await.unwrap());
        }
        let waiting = db.begin(&ctx);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(held.remove(freed));
        let given = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        given.expect("one was free").unwrap();
    }
}

/// 53300 too_many_connections, at the database's own limit.
#[tokio::test]
async fn a_server_without_a_free_connection_is_unavailable() {
    let server = Server::start(&[]).await;
    let admin = server.superuser("eyemotion").await;
    migrate(&server.config("eyemotion", "eyemotion"))
        .await
        .unwrap();
    admin
        .batch_execute(
            "create role app login; grant service_role to app; alter role app connection limit 1",
        )
        .await
        .unwrap();
    let db = Db::new(&server.config("app", "eyemotion")).unwrap();
    let mut held = db.begin(&system()).await.unwrap();
    run(&mut held, "select").await.unwrap();
    let said = is_passing(db.begin(&system()).await.map(drop));
    assert!(said.contains("too many connections"), "{said}");
    drop(held);
    recovers(&db).await;
}

/// 57014 query_canceled.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_unavailable() {
    let database = TestDatabase::new().await;
    let mut config = database.config();
    config.statement_timeout = Duration::from_millis(100);
    let db = Db::new(&config).unwrap();
    for read in [true, false] {
        let mut tx = if read {
            db.read(&system()).await
        } else {
            db.begin(&system()).await
        }
        .unwrap();
        let said = is_passing(run(&mut tx, "select pg_sleep(60)").await);
        assert!(said.contains("statement timeout"), "{said}");
    }
    assert_eq!(plans(&db).await.unwrap(), 4);
}

/// 55P03 lock_not_available, by time and at once.
#[tokio::test]
async fn a_lock_that_is_not_to_be_had_is_unavailable() {
    let database = TestDatabase::new().await;
    let mut config = database.config();
    config.lock_timeout = Duration::from_millis(100);
    let db = Db::new(&config).unwrap();
    let person = person(&database, "a@example.com").await;
    let update = "update user_profiles set phone = 'x'";
    let mut holder = db.begin(&person.ctx()).await.unwrap();
    assert_eq!(run(&mut holder, update).await.unwrap(), 1);
    for (sql, expected) in [
        (update, "lock timeout"),
        (
            "select from user_profiles for update nowait",
            "could not obtain lock",
        ),
    ] {
        let mut tx = db.begin_for(&person.ctx()).await.unwrap();
        let said = is_passing(run(&mut tx, sql).await);
        assert!(said.contains(expected), "{said}");
    }
    holder.commit().await.unwrap();
}

/// 40P01 deadlock_detected: one of the two goes on.
#[tokio::test]
async fn of_two_in_a_deadlock_one_is_unavailable() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let one = person(&database, "a@example.com").await;
    let two = person(&database, "b@example.com").await;
    let update = |id: uuid::Uuid| format!("update user_profiles set phone = 'x' where id = '{id}'");
    let (mut first, mut second) = (
        db.begin(&system()).await.unwrap(),
        db.begin(&system()).await.unwrap(),
    );
    run(&mut first, &update(one.id.0)).await.unwrap();
    run(&mut second, &update(two.id.0)).await.unwrap();
    let (to_two, to_one) = (update(two.id.0), update(one.id.0));
    let crossing = async |tx: &mut Tx, sql: &str| {
        let result = run(tx, sql).await;
        if result.is_err() {
            // The other waits for what this one still holds.
            run(tx, "rollback").await.ok();
        }
        result
    };
    let results = tokio::join!(
        crossing(&mut first, &to_two),
        crossing(&mut second, &to_one)
    );
    let (won, lost) = match results {
        (Ok(won), lost) | (lost, Ok(won)) => (won, lost),
        both => panic!("{both:?}"),
    };
    assert_eq!(won, 1);
    assert_eq!(is_passing(lost), "deadlock detected");
}

/// 40001 serialization_failure.
#[tokio::test]
async fn a_serialization_failure_is_unavailable() {
    let database = TestDatabase::new().await;
    let person = person(&database, "a@example.com").await;
    let admin = database.admin().await;
    let name: String = admin
        .query_one("select current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let setting = "set default_transaction_isolation = 'repeatable read'";
    admin
        .batch_execute(&format!("alter database {name} {setting}"))
        .await
        .unwrap();
    let db = Db::new(&database.config()).unwrap();
    let mut late = db.begin(&person.ctx()).await.unwrap();
    run(&mut late, "select from user_profiles").await.unwrap();
    let mut early = db.begin(&person.ctx()).await.unwrap();
    run(&mut early, "update user_profiles set phone = 'early'")
        .await
        .unwrap();
    early.commit().await.unwrap();
    let said = is_passing(run(&mut late, "update user_profiles set phone = 'late'").await);
    assert!(said.contains("could not serialize"), "{said}");
}

#[tokio::test]
async fn a_fault_of_ours_stays_one() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    for sql in [
        "select nonsense",
        "select 1/0",
        "select from auth.users where 'canceling'::int = 1",
    ] {
        let mut tx = db.begin(&system()).await.unwrap();
        let error = run(&mut tx, sql).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal, "{sql}: {error:?}");
        assert_eq!(error.retry_after(), None);
    }
}
