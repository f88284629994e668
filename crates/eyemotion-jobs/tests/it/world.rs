//! A database, a clock that stands, and looks at both.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use eyemotion_core::{Clock, Ctx, ManualClock};
use eyemotion_db::{Db, Tx};
use eyemotion_jobs::{Enqueue, Job, Workers, enqueue};
use eyemotion_testkit::TestDatabase;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub struct World {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    _database: TestDatabase,
}

#[derive(Clone, Debug, PartialEq, diesel::QueryableByName)]
pub struct Row {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Timestamptz)]
    pub run_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub lease_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub worker: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Nullable<diesel::sql_types::Uuid>)]
    pub owner_id: Option<Uuid>,
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub fn system() -> Ctx {
    Ctx::system("test")
}

/// Until `look` finds something. The limit only ends a test that would never end.
pub async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), found)
        .await
        .expect("it never came to pass")
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await;
        let db = Db::new(&database.config()).unwrap();
        let start = "2026-11-22T10:00:30Z".parse().unwrap();
        Self {
            db,
            clock: Arc::new(ManualClock::at(start)),
            _database: database,
        }
    }

    /// Workers on this clock that look again at once.
    pub fn workers(&self) -> Workers {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Workers::builder(self.db.clone(), clock).poll(Duration::from_millis(20))
    }

    pub async fn begin(&self) -> Tx {
        self.db.begin(&system()).await.unwrap()
    }

    pub async fn enqueue(&self, job: &impl Job) -> Uuid {
        self.enqueue_with(job, Enqueue::new()).await.unwrap()
    }

    pub async fn enqueue_with(&self, job: &impl Job, options: Enqueue) -> Option<Uuid> {
        let mut tx = self.begin().await;
        let id = enqueue(&mut tx, &*self.clock, job, options).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub fn advance(&self, step: Duration) {
        self.clock
            .advance(chrono::Duration::from_std(step).unwrap());
    }

    pub async fn rows(&self) -> Vec<Row> {
        let mut tx = self.db.read(&system()).await.unwrap();
        diesel::sql_query("select * from jobs.jobs order by id")
            .load(&mut tx)
            .await
            .unwrap()
    }

    pub async fn row(&self, id: Uuid) -> Option<Row> {
        self.rows().await.into_iter().find(|row| row.id == id)
    }

    pub async fn until_state(&self, id: Uuid, state: &str) -> Row {
        eventually(async || self.row(id).await.filter(|row| row.state == state)).await
    }

    /// Moves the clock to each retry until the job is given up.
    pub async fn until_dead(&self, id: Uuid) -> Row {
        eventually(async || {
            let row = self.row(id).await?;
            let wait = row.run_at - self.clock.now();
            match (row.state.as_str(), wait.to_std()) {
                ("dead", _) => return Some(row),
                // Nobody can have claimed it in the meantime.
                ("queued", Ok(wait)) => self.advance(wait),
                _ => {}
            }
            None
        })
        .await
    }

    pub async fn until_gone(&self, id: Uuid) {
        eventually(async || self.row(id).await.is_none().then_some(())).await;
    }

    pub async fn until_empty(&self) {
        eventually(async || self.rows().await.is_empty().then_some(())).await;
    }

    pub async fn number(&self, sql: &str) -> i64 {
        number(&self.db, sql).await
    }

    pub async fn execute(&self, sql: &str) {
        let mut tx = self.begin().await;
        diesel::sql_query(sql).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// How often the effect of `name` was committed.
    pub async fn effect(&self, name: &str) -> i64 {
        self.number(&format!(
            "select coalesce(max(value::bigint), 0) as number from public.kv_store
             where namespace = 'effects' and key = '{name}'"
        ))
        .await
    }
}

pub async fn number(db: &Db, sql: &str) -> i64 {
    let mut tx = db.read(&system()).await.unwrap();
    diesel::sql_query(sql)
        .get_result::<Number>(&mut tx)
        .await
        .unwrap()
        .number
}

/// Something that is seen when it happens twice.
pub async fn affect(tx: &mut Tx, name: &str) -> Result<(), diesel::result::Error> {
    diesel::sql_query(
        "insert into public.kv_store (namespace, key, value) values ('effects', $1, '1')
         on conflict (namespace, key)
         do update set value = to_jsonb(kv_store.value::bigint + 1)",
    )
    .bind::<Text, _>(name)
    .execute(tx)
    .await
    .map(|_| ())
}
