//! What is kept in memory of a real database, and what makes it go.

use eyemotion_core::Ctx;
use eyemotion_db::{Changes, Db, DbError, HotCache, HotCacheConfig, Tx};
use eyemotion_testkit::TestDatabase;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_postgres::Client;

const LISTENERS: &str = "from pg_stat_activity where query like 'LISTEN \"changes\"%' \
                         and datname = current_database()";

/// One process: its own pools and its own memory.
struct Replica {
    db: Db,
    cache: HotCache<String, Option<String>>,
    loads: Arc<AtomicU32>,
}

/// A table whose changes are announced.
async fn notes() -> TestDatabase {
    let database = TestDatabase::new().await;
    let admin = database.admin().await;
    admin
        .batch_execute(
            "create table notes (name text primary key, text text);
             grant all on notes to service_role;
             create function announce_note() returns trigger language plpgsql as $$
             begin
                 perform public.announce_change('notes', coalesce(new.name, old.name));
                 return null;
             end $$;
             create trigger announce after insert or update or delete on notes
                 for each row execute function announce_note();
             insert into notes values ('a', 'old'), ('b', 'old')",
        )
        .await
        .unwrap();
    database
}

impl Replica {
    fn on(database: &TestDatabase) -> Self {
        let db = Db::new(&database.config()).unwrap();
        let changes = db.changes();
        Self::with(db, &changes)
    }

    fn with(db: Db, changes: &Changes) -> Self {
        let config = HotCacheConfig {
            ttl: Duration::from_hours(1),
            ..HotCacheConfig::default()
        };
        Self {
            db,
            cache: HotCache::new(changes, "notes", config, |key| Some(key.to_owned())),
            loads: Arc::default(),
        }
    }

    async fn read(&self, name: &str) -> Option<String> {
        let load = async {
            self.loads.fetch_add(1, Ordering::SeqCst);
            let mut tx = self.db.read(&Ctx::system("test")).await?;
            text_of(&mut tx, name).await
        };
        self.cache.get(&name.to_owned(), load).await.unwrap()
    }

    async fn write(&self, sql: &str) -> Result<(), DbError> {
        let mut tx = self.db.begin(&Ctx::system("test")).await?;
        diesel_execute(&mut tx, sql).await?;
        tx.commit().await
    }

    /// Until it keeps what it reads: it has begun to listen.
    async fn warm(&self) {
        loop {
            let before = self.loads.load(Ordering::SeqCst);
            self.read("a").await;
            if self.loads.load(Ordering::SeqCst) == before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Until it reads this.
    async fn until(&self, name: &str, text: &str) {
        let seen = async {
            while self.read(name).await.as_deref() != Some(text) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), seen)
            .await
            .expect("the change is never seen");
    }
}

async fn diesel_execute(tx: &mut Tx, sql: &str) -> Result<usize, DbError> {
    let query = diesel::sql_query(sql);
    Ok(diesel_async::RunQueryDsl::execute(query, tx).await?)
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    text: Option<String>,
}

async fn text_of(tx: &mut Tx, name: &str) -> Result<Option<String>, DbError> {
    let query = diesel::sql_query("select text from notes where name = $1")
        .bind::<diesel::sql_types::Text, _>(name);
    let rows: Vec<Row> = diesel_async::RunQueryDsl::load(query, tx).await?;
    Ok(rows.into_iter().next().and_then(|row| row.text))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_change_is_seen_by_the_next_read_and_by_other_processes_soon() {
    let database = notes().await;
    let (here, there) = (Replica::on(&database), Replica::on(&database));
    here.warm().await;
    there.warm().await;
    for round in 0..50 {
        let text = format!("round {round}");
        let sql = format!("update notes set text = '{text}' where name = 'a'");
        here.write(&sql).await.unwrap();
        assert_eq!(here.read("a").await, Some(text.clone()));
        there.until("a", &text).await;
    }
    let admin = database.admin().await;
    admin
        .batch_execute("update notes set text = 'by hand' where name = 'a'")
        .await
        .unwrap();
    here.until("a", "by hand").await;
    there.until("a", "by hand").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rolled_back_changes_nothing_and_what_is_elsewhere_stays() {
    let database = notes().await;
    let replica = Replica::on(&database);
    replica.warm().await;
    replica.read("b").await;
    let loads = replica.loads.load(Ordering::SeqCst);
    let failed = replica
        .write("update notes set text = 'new' where name = 'b'; select 1/0")
        .await;
    assert!(failed.is_err());
    replica
        .write("update notes set text = 'new' where name = 'a'")
        .await
        .unwrap();
    assert_eq!(replica.read("b").await.as_deref(), Some("old"));
    assert_eq!(replica.loads.load(Ordering::SeqCst), loads);
}

/// More than a transaction can list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_transaction_forgets_everything_at_once() {
    let database = notes().await;
    let replica = Replica::on(&database);
    let admin = database.admin().await;
    fill(&admin).await;
    replica.warm().await;
    for name in ["n1", "n2000"] {
        replica.until(name, "old").await;
    }
    replica
        .write("update notes set text = 'new'")
        .await
        .unwrap();
    for name in ["n1", "n2000", "a"] {
        assert_eq!(replica.read(name).await.as_deref(), Some("new"));
    }
    // A name that fits on no line.
    let long = format!("line\n{}", "x".repeat(1500));
    replica
        .write(&format!("insert into notes values ('{long}', 'old')"))
        .await
        .unwrap();
    replica.until(&long, "old").await;
    replica
        .write("update notes set text = 'newer'")
        .await
        .unwrap();
    assert_eq!(replica.read(&long).await.as_deref(), Some("newer"));
}

async fn fill(admin: &Client) {
    admin
        .batch_execute("insert into notes select 'n' || i, 'old' from generate_series(1, 2000) i")
        .await
        .unwrap();
}

/// The load has read the old value when the change is committed elsewhere and heard here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_load_does_not_bring_the_old_value_back() {
    let database = notes().await;
    let (here, there) = (Replica::on(&database), Replica::on(&database));
    here.warm().await;
    let (has_read, reading) = oneshot::channel();
    let (go_on, held_up) = oneshot::channel::<()>();
    let slow = {
        let (db, cache) = (here.db.clone(), here.cache.clone());
        tokio::spawn(async move {
            let load = async {
                let mut tx = db.read(&Ctx::system("test")).await?;
                let text = text_of(&mut tx, "b").await?;
                has_read.send(()).unwrap();
                held_up.await.unwrap();
                Ok::<_, DbError>(text)
            };
            cache.get(&"b".to_owned(), load).await.unwrap()
        })
    };
    reading.await.unwrap();
    there
        .write("update notes set text = 'new' where name = 'b'")
        .await
        .unwrap();
    // From when the change is heard, nobody waits for the slow one.
    let heard = async {
        loop {
            let read = here.read("b");
            match tokio::time::timeout(Duration::from_millis(100), read).await {
                Ok(text) => break text,
                Err(_waited_for_the_slow_one) => {}
            }
        }
    };
    assert_eq!(heard.await.as_deref(), Some("new"));
    go_on.send(()).unwrap();
    assert_eq!(slow.await.unwrap().as_deref(), Some("old"));
    assert_eq!(here.read("b").await.as_deref(), Some("new"));
}

/// Each reading while the connection is down or has just come back must be the present one: those
/// who change the row write it down before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_is_served_after_the_listening_connection_was_killed() {
    let database = notes().await;
    let replica = Replica::on(&database);
    let admin = database.admin().await;
    for round in 0..5 {
        replica.warm().await;
        let killed = format!("select pg_terminate_backend(pid, 10000) {LISTENERS}");
        admin.execute(&killed, &[]).await.unwrap();
        // It is gone: nobody hears of this.
        let text = format!("round {round}");
        let sql = format!("update notes set text = '{text}' where name = 'a'");
        admin.batch_execute(&sql).await.unwrap();
        replica.until("a", &text).await;
        replica.warm().await;
        assert_eq!(replica.read("a").await, Some(text));
    }
}

/// The connection is there, and nothing comes out of it: the server is stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_nothing_is_not_believed_for_long() {
    let database = notes().await;
    let replica = Replica::on(&database);
    replica.warm().await;
    let admin = database.admin().await;
    let row = admin
        .query_one(&format!("select pid {LISTENERS}"), &[])
        .await
        .unwrap();
    let listener = rustix::process::Pid::from_raw(row.get(0)).unwrap();
    rustix::process::kill_process(listener, rustix::process::Signal::STOP).unwrap();
    admin
        .batch_execute("update notes set text = 'new' where name = 'a'")
        .await
        .unwrap();
    let committed = std::time::Instant::now();
    replica.until("a", "new").await;
    let seen_after = committed.elapsed();
    rustix::process::kill_process(listener, rustix::process::Signal::CONT).unwrap();
    assert!(seen_after < Duration::from_millis(1500), "{seen_after:?}");
    replica.warm().await;
}

#[tokio::test]
async fn off_each_read_asks_the_database() {
    let database = notes().await;
    let db = Db::new(&database.config()).unwrap();
    let replica = Replica::with(db, &Changes::off());
    for loads in 1..=3 {
        assert_eq!(replica.read("a").await.as_deref(), Some("old"));
        assert_eq!(replica.loads.load(Ordering::SeqCst), loads);
    }
    replica
        .write("update notes set text = 'new' where name = 'a'")
        .await
        .unwrap();
    assert_eq!(replica.read("a").await.as_deref(), Some("new"));
}
