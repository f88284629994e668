//! Statements that share a round trip stand and fall together all the same.

use crate::people::{Person, person};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use eyemotion_core::Ctx;
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_testkit::TestDatabase;

/// `UPDATE user_profiles SET phone = ...`, or a statement that cannot even be sent.
#[derive(QueryId)]
struct SetPhone(Option<String>);

impl QueryFragment<Pg> for SetPhone {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let phone = self.0.as_ref().ok_or_else(|| {
            diesel::result::Error::SerializationError("there is nothing to send".into())
        })?;
        out.push_sql("UPDATE user_profiles SET phone = ");
        out.push_bind_param::<Text, _>(phone)
    }
}

fn set_phone(phone: &str) -> SetPhone {
    SetPhone(Some(phone.to_owned()))
}

/// 41 characters; 40 are allowed.
fn too_long() -> SetPhone {
    set_phone(&"1".repeat(41))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn with_phone(tx: &mut Tx, phone: &str) -> Result<i64, DbError> {
    let counted: Count =
        diesel::sql_query("SELECT count(*) AS count FROM user_profiles WHERE phone = $1")
            .bind::<Text, _>(phone)
            .get_result(tx)
            .await?;
    Ok(counted.count)
}

struct Stage {
    database: TestDatabase,
    db: Db,
    ctx: Ctx,
}

impl Stage {
    /// One connection, so that whatever is left on it is met.
    async fn set() -> Self {
        let database = TestDatabase::new().await;
        let mut config = database.config();
        config.pool_size = 1;
        let db = Db::new(&config).unwrap();
        let person: Person = person(&database, "a@example.com").await;
        Self {
            database,
            db,
            ctx: person.ctx(),
        }
    }

    async fn begin(&self) -> Tx {
        self.db.begin(&self.ctx).await.unwrap()
    }

    async fn phone(&self) -> Option<String> {
        let admin = self.database.admin().await;
        let row = admin.query_one("SELECT phone FROM user_profiles", &[]);
        row.await.unwrap().get(0)
    }
}

#[tokio::test]
async fn a_deferred_statement_goes_before_the_next_query_and_before_commit() {
    let stage = Stage::set().await;
    let mut tx = stage.begin().await;
    tx.defer(set_phone("1"));
    assert_eq!(with_phone(&mut tx, "1").await.unwrap(), 1);
    tx.defer(set_phone("2"));
    tx.defer(set_phone("3"));
    tx.commit().await.unwrap();
    assert_eq!(stage.phone().await.as_deref(), Some("3"));

    let mut alone = stage.begin().await;
    alone.defer(set_phone("4"));
    alone.commit().await.unwrap();
    assert_eq!(stage.phone().await.as_deref(), Some("4"));

    let mut dropped = stage.begin().await;
    dropped.defer(set_phone("5"));
    drop(dropped);
    let mut tx = stage.begin().await;
    assert_eq!(with_phone(&mut tx, "4").await.unwrap(), 1);
}

#[tokio::test]
async fn commit_goes_with_the_last_query() {
    let stage = Stage::set().await;
    let mut tx = stage.begin().await;
    tx.defer(set_phone("1"));
    tx.commit_with_next();
    assert_eq!(with_phone(&mut tx, "1").await.unwrap(), 1);
    assert_eq!(stage.phone().await.as_deref(), Some("1"), "it is permanent");
    assert!(with_phone(&mut tx, "1").await.is_err(), "it was the last");
    drop(tx);

    let mut tx = stage.begin().await;
    tx.commit_with_next();
    assert_eq!(with_phone(&mut tx, "1").await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut next = stage.begin().await;
    assert_eq!(with_phone(&mut next, "1").await.unwrap(), 1);
}

#[tokio::test]
async fn what_a_deferred_statement_fails_of_fails_the_commit() {
    let stage = Stage::set().await;
    let mut tx = stage.begin().await;
    set_phone("1").execute(&mut tx).await.unwrap();
    tx.defer(too_long());
    tx.defer(set_phone("2"));
    let failed = tx.commit().await.unwrap_err();
    assert_eq!(failed.constraint(), Some("user_profiles_phone_check"));
    assert_eq!(stage.phone().await, None);

    for broken in [too_long(), SetPhone(None)] {
        let mut tx = stage.begin().await;
        set_phone("1").execute(&mut tx).await.unwrap();
        tx.defer(broken);
        tx.commit_with_next();
        assert!(with_phone(&mut tx, "1").await.is_err());
        assert!(matches!(tx.commit().await, Err(DbError::Aborted)));
        assert_eq!(stage.phone().await, None);
    }
}

#[tokio::test]
async fn what_the_last_query_fails_of_is_not_committed() {
    let stage = Stage::set().await;
    for broken in [too_long(), SetPhone(None)] {
        let mut tx = stage.begin().await;
        tx.defer(set_phone("1"));
        tx.commit_with_next();
        assert!(broken.execute(&mut tx).await.is_err());
        drop(tx);
        assert_eq!(stage.phone().await, None);
    }
    // An error that comes with the rows.
    let mut tx = stage.begin().await;
    tx.defer(set_phone("1"));
    tx.commit_with_next();
    let late = "SELECT 1 / (2 - n) AS count FROM generate_series(1::bigint, 2) AS n";
    let rows: Result<Vec<Count>, _> = diesel::sql_query(late).load(&mut tx).await;
    assert!(rows.is_err());
    assert!(matches!(tx.commit().await, Err(DbError::Aborted)));
    assert_eq!(stage.phone().await, None);
    let mut next = stage.begin().await;
    assert_eq!(with_phone(&mut next, "1").await.unwrap(), 0);
}
