//! One key, one effect.

use crate::people::{Person, Until, person};
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Timestamptz};
use eyemotion_core::{Coded, Ctx, ErrorCode, IdempotencyKey};
use eyemotion_db::idempotency::{IdempotencyError, remember, replay, sweep};
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_testkit::TestDatabase;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const OPERATION: &str = "test.create";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    number: u32,
}

fn keyed(person: &Person, key: &str, body: u8) -> Ctx {
    let idempotency = IdempotencyKey {
        key: key.to_owned(),
        request_hash: [body; 32],
    };
    Ctx {
        idempotency: Some(idempotency),
        ..person.ctx()
    }
}

/// A use case: counts what it makes.
#[derive(Clone)]
struct Maker {
    db: Db,
    made: Arc<AtomicU32>,
}

impl Maker {
    fn count(&self) -> u32 {
        self.made.fetch_add(0, Ordering::Relaxed)
    }

    async fn make(&self, ctx: &Ctx) -> Result<Made, IdempotencyError> {
        let mut tx = self.db.begin_for(ctx).await?;
        if let Some(made) = replay(&mut tx, ctx, OPERATION).await? {
            return Ok(made);
        }
        let made = Made {
            number: self.made.fetch_add(1, Ordering::Relaxed) + 1,
        };
        remember(&mut tx, ctx, OPERATION, &made).await?;
        tx.commit().await?;
        Ok(made)
    }
}

async fn world() -> (TestDatabase, Maker, Person) {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let person = person(&database, "a@example.com").await;
    (
        database,
        Maker {
            db,
            made: Arc::default(),
        },
        person,
    )
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(diesel::QueryableByName)]
struct Time {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

async fn keys(tx: &mut Tx) -> i64 {
    let all = diesel::sql_query("select count(*) from idempotency_keys");
    diesel_async::RunQueryDsl::get_result::<Count>(all, tx)
        .await
        .unwrap()
        .count
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_has_no_effect() {
    let (database, maker, one) = world().await;
    let first = maker.make(&keyed(&one, "k", 1)).await.unwrap();
    assert_eq!(maker.make(&keyed(&one, "k", 1)).await.unwrap(), first);
    assert_eq!(
        maker.make(&keyed(&one, "other", 1)).await.unwrap(),
        Made { number: 2 }
    );
    // The key is the person's own, and nobody must have one.
    let two = person(&database, "b@example.com").await;
    assert_eq!(
        maker.make(&keyed(&two, "k", 1)).await.unwrap(),
        Made { number: 3 }
    );
    assert_eq!(maker.make(&one.ctx()).await.unwrap(), Made { number: 4 });
    assert_eq!(maker.make(&one.ctx()).await.unwrap(), Made { number: 5 });
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let (_database, maker, one) = world().await;
    maker.make(&keyed(&one, "k", 1)).await.unwrap();
    let error = maker.make(&keyed(&one, "k", 2)).await.unwrap_err();
    assert!(matches!(error, IdempotencyError::Reused), "{error:?}");
    assert_eq!(error.code(), ErrorCode::IdempotencyKeyReused);
    assert_eq!(maker.count(), 1);
}

#[tokio::test]
async fn a_request_that_failed_leaves_its_key_free() {
    let (_database, maker, one) = world().await;
    let ctx = keyed(&one, "k", 1);
    let mut tx = maker.db.begin_for(&ctx).await.unwrap();
    assert_eq!(
        replay::<Made>(&mut tx, &ctx, OPERATION).await.unwrap(),
        None
    );
    drop(tx);
    assert_eq!(maker.make(&ctx).await.unwrap(), Made { number: 1 });
}

/// The pool has fewer connections than there are requests, too.
#[tokio::test]
async fn of_requests_at_the_same_time_one_has_the_effect_and_all_its_answer() {
    let (_database, maker, one) = world().await;
    let requests: Vec<_> = (0..12)
        .map(|_| {
            let (maker, ctx) = (maker.clone(), keyed(&one, "k", 1));
            tokio::spawn(async move { maker.make(&ctx).await.unwrap() })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), Made { number: 1 });
    }
    assert_eq!(maker.count(), 1);
}

#[tokio::test]
async fn a_second_request_waits_for_the_first_ones_commit() {
    let (database, maker, one) = world().await;
    let ctx = keyed(&one, "k", 1);
    let mut first = maker.db.begin_for(&ctx).await.unwrap();
    assert_eq!(
        replay::<Made>(&mut first, &ctx, OPERATION).await.unwrap(),
        None
    );
    let second = tokio::spawn({
        let (maker, ctx) = (maker.clone(), ctx.clone());
        async move { maker.make(&ctx).await.unwrap() }
    });
    database
        .until("select exists (select from pg_locks where not granted)")
        .await;
    let made = Made { number: 42 };
    remember(&mut first, &ctx, OPERATION, &made).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), made);
    assert_eq!(maker.count(), 0);
}

#[tokio::test]
async fn a_second_request_that_waits_too_long_may_come_again() {
    let (database, maker, one) = world().await;
    let ctx = keyed(&one, "k", 1);
    let mut first = maker.db.begin_for(&ctx).await.unwrap();
    replay::<Made>(&mut first, &ctx, OPERATION).await.unwrap();
    let mut config = database.config();
    config.lock_timeout = Duration::from_millis(100);
    let impatient = Maker {
        db: Db::new(&config).unwrap(),
        ..maker
    };
    let error = impatient.make(&ctx).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DatabaseUnavailable, "{error:?}");
    assert!(error.retry_after().is_some());
    drop(first);
    assert_eq!(impatient.make(&ctx).await.unwrap(), Made { number: 1 });
}

#[tokio::test]
async fn to_remember_without_a_claim_is_a_mistake_that_shows() {
    let (_database, maker, one) = world().await;
    let ctx = keyed(&one, "k", 1);
    let mut tx = maker.db.begin_for(&ctx).await.unwrap();
    let remembered = remember(&mut tx, &ctx, OPERATION, &Made { number: 1 }).await;
    assert!(matches!(remembered, Err(DbError::NotFound)));
}

#[tokio::test]
async fn the_sweep_forgets_old_keys_only() {
    let (_database, maker, one) = world().await;
    maker.make(&keyed(&one, "old", 1)).await.unwrap();
    let mut tx = maker.db.begin(&Ctx::system("test")).await.unwrap();
    let now = diesel::sql_query("select clock_timestamp() as at");
    let between = diesel_async::RunQueryDsl::get_result::<Time>(now, &mut tx)
        .await
        .unwrap()
        .at;
    maker.make(&keyed(&one, "new", 1)).await.unwrap();
    assert_eq!(keys(&mut tx).await, 2);
    assert_eq!(sweep(&mut tx, between).await.unwrap(), 1);
    assert_eq!(keys(&mut tx).await, 1);
    tx.commit().await.unwrap();
    // A person's own transaction sweeps nothing of others, and a forgotten key is free again.
    assert_eq!(
        maker.make(&keyed(&one, "new", 1)).await.unwrap(),
        Made { number: 2 }
    );
    assert_eq!(
        maker.make(&keyed(&one, "old", 1)).await.unwrap(),
        Made { number: 3 }
    );
}
