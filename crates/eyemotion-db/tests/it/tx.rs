//! What a transaction leaves behind: nothing, whatever ends it.

use crate::people::{Person, person};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use eyemotion_core::{Actor, Ctx};
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_testkit::TestDatabase;
use std::time::Duration;

/// One connection for each role: whatever a transaction leaves on it, the next one meets.
fn single(database: &TestDatabase) -> Db {
    let mut config = database.config();
    config.pool_size = 1;
    Db::new(&config).unwrap()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn count(tx: &mut Tx, sql: &str) -> Result<i64, DbError> {
    Ok(diesel::sql_query(sql).get_result::<Count>(tx).await?.count)
}

async fn lock_profile(tx: &mut Tx, person: &Person) {
    let locked = diesel::sql_query("update user_profiles set phone = 'x' where id = $1")
        .bind::<diesel::sql_types::Uuid, _>(person.id.0)
        .execute(tx)
        .await
        .unwrap();
    assert_eq!(locked, 1);
}

/// The row can be locked at once, so nobody else holds it, and no transaction is open.
async fn nothing_is_left(database: &TestDatabase, person: &Person) {
    let admin = database.admin().await;
    admin
        .batch_execute("set lock_timeout = '3s'")
        .await
        .unwrap();
    admin
        .query(
            "select 1 from user_profiles where id = $1 for update",
            &[&person.id.0],
        )
        .await
        .expect("a lock was left behind");
    // The rollback of a dropped transaction runs in the background.
    for _ in 0..100 {
        let open: i64 = admin
            .query_one(
                "select count(*) from pg_stat_activity where datname = current_database() \
                 and pid <> pg_backend_pid() and xact_start is not null",
                &[],
            )
            .await
            .unwrap()
            .get(0);
        if open == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a transaction was left open");
}

#[derive(QueryableByName)]
struct Settings {
    #[diesel(sql_type = Nullable<Text>)]
    sub: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
}

/// Without a context, the connection that comes back sees nothing.
async fn no_context_no_rows(db: &Db) {
    let mut tx = db
        .begin(&Ctx {
            actor: Actor::Anonymous,
            ..Ctx::system("test")
        })
        .await
        .unwrap();
    let seen = diesel::sql_query("select auth.uid()::text as sub, auth.role() as role")
        .get_result::<Settings>(&mut tx)
        .await
        .unwrap();
    assert_eq!((seen.sub, seen.role.as_deref()), (None, Some("anon")));
}

#[tokio::test]
async fn commits_and_rolls_back() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let set = async |phone: &str, commit: bool| {
        let mut tx = db.begin(&person.ctx()).await.unwrap();
        diesel::sql_query("update user_profiles set phone = $1")
            .bind::<Text, _>(phone)
            .execute(&mut tx)
            .await
            .unwrap();
        if commit {
            tx.commit().await.unwrap();
        }
    };
    set("1", true).await;
    set("2", false).await;
    let mut tx = db.read(&person.ctx()).await.unwrap();
    let ones = "select count(*) from user_profiles where phone = '1'";
    assert_eq!(count(&mut tx, ones).await.unwrap(), 1);
}

#[tokio::test]
async fn a_cancelled_query_leaves_no_lock_and_no_open_transaction() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let request = async {
        let mut tx = db.begin(&person.ctx()).await.unwrap();
        lock_profile(&mut tx, &person).await;
        count(&mut tx, "select count(*) from pg_sleep(60)")
            .await
            .unwrap();
    };
    tokio::time::timeout(Duration::from_millis(300), request)
        .await
        .unwrap_err();
    nothing_is_left(&database, &person).await;
    no_context_no_rows(&db).await;
}

#[tokio::test]
async fn a_request_cancelled_between_queries_leaves_nothing() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let request = async {
        let mut tx = db.begin(&person.ctx()).await.unwrap();
        lock_profile(&mut tx, &person).await;
        std::future::pending::<()>().await;
    };
    tokio::time::timeout(Duration::from_millis(300), request)
        .await
        .unwrap_err();
    nothing_is_left(&database, &person).await;
    no_context_no_rows(&db).await;
}

#[tokio::test]
async fn a_panic_in_the_middle_leaves_nothing() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let (inner, ctx) = (db.clone(), person.ctx());
    let request = tokio::spawn(async move {
        let mut tx = inner.begin(&ctx).await.unwrap();
        lock_profile(&mut tx, &person).await;
        assert!(ctx.request_id.is_empty(), "a bug in a handler");
    });
    assert!(request.await.unwrap_err().is_panic());
    let person = person_again(&database).await;
    nothing_is_left(&database, &person).await;
    no_context_no_rows(&db).await;
}

async fn person_again(database: &TestDatabase) -> Person {
    let row = database
        .admin()
        .await
        .query_one("select id from auth.users", &[])
        .await
        .unwrap();
    Person {
        id: row.get::<_, uuid::Uuid>(0).into(),
    }
}

#[tokio::test]
async fn a_failed_statement_cannot_be_committed_and_says_which_constraint() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let mut tx = db.begin(&person.ctx()).await.unwrap();
    lock_profile(&mut tx, &person).await;
    let refused = diesel::sql_query("update user_profiles set full_name = ''")
        .execute(&mut tx)
        .await
        .map_err(DbError::from)
        .unwrap_err();
    assert_eq!(refused.constraint(), Some("user_profiles_full_name_check"));
    assert!(matches!(tx.commit().await, Err(DbError::Aborted)));
    nothing_is_left(&database, &person).await;
}

#[tokio::test]
async fn each_caller_sees_their_own_and_the_platform_sees_whom_it_acts_for() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let one = person(&database, "a@example.com").await;
    let two = person(&database, "b@example.com").await;
    let profiles = "select count(*) from user_profiles";
    let seen = async |tx: Result<Tx, DbError>| count(&mut tx.unwrap(), profiles).await.unwrap();
    assert_eq!(seen(db.read(&one.ctx()).await).await, 1);
    assert_eq!(seen(db.begin(&two.ctx()).await).await, 1);
    assert_eq!(seen(db.read_for(&one.ctx()).await).await, 1);
    assert_eq!(seen(db.begin_for(&two.ctx()).await).await, 1);
    assert_eq!(seen(db.read(&Ctx::system("test")).await).await, 2);
    let mut tx = db
        .read(&Ctx {
            actor: Actor::Anonymous,
            ..Ctx::system("test")
        })
        .await
        .unwrap();
    assert!(
        count(&mut tx, profiles).await.is_err(),
        "anon may not even ask"
    );
    // A failed read leaves its connection as good as before.
    assert_eq!(
        count(&mut tx, "select count(*) from subscription_plans")
            .await
            .unwrap(),
        4
    );
}

#[tokio::test]
async fn reads_cannot_write() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let mut tx = db.read(&person.ctx()).await.unwrap();
    let write = diesel::sql_query("update user_profiles set phone = 'x'")
        .execute(&mut tx)
        .await;
    assert!(write.is_err());
    assert_eq!(
        count(&mut tx, "select count(*) from user_profiles")
            .await
            .unwrap(),
        1
    );
}

/// The driver stops reading while rows wait to be taken, and the COMMIT's answer comes after them.
#[tokio::test]
async fn a_read_of_any_size_arrives() {
    let database = TestDatabase::new().await;
    let db = single(&database);
    let person = person(&database, "a@example.com").await;
    let mut tx = db.read(&person.ctx()).await.unwrap();
    let rows = diesel::sql_query(
        "select n::bigint as count, repeat('x', 1000) from generate_series(1, 2000) as n(n)",
    );
    let rows = rows.load::<Count>(&mut tx);
    let rows = tokio::time::timeout(Duration::from_secs(20), rows)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rows.len(), 2000);
    assert_eq!(
        count(&mut tx, "select count(*) from user_profiles")
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn many_tasks_on_few_connections_never_see_each_other() {
    let database = TestDatabase::new().await;
    let mut config = database.config();
    config.pool_size = 3;
    let db = Db::new(&config).unwrap();
    let mut people = Vec::new();
    for n in 0..4 {
        people.push(person(&database, &format!("p{n}@example.com")).await);
    }
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let (db, ctx, id) = (db.clone(), people[n % 4].ctx(), people[n % 4].id);
            tokio::spawn(async move {
                #[derive(QueryableByName)]
                struct Seen {
                    #[diesel(sql_type = Bool)]
                    own: bool,
                }
                let mut tx = if n % 2 == 0 {
                    db.read(&ctx).await
                } else {
                    db.begin_for(&ctx).await
                }
                .unwrap();
                let rows = diesel::sql_query("select id = $1 as own from user_profiles")
                    .bind::<diesel::sql_types::Uuid, _>(id.0)
                    .load::<Seen>(&mut tx)
                    .await
                    .unwrap();
                assert!(rows.len() == 1 && rows.iter().all(|row| row.own));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
