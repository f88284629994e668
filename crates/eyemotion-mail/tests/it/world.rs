//! A database, a clock that stands, people, and looks at the outbox.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_core::{Actor, Clock, Ctx, EmailAddress, ManualClock, SessionId, UserId, UserRole};
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_jobs::{RunningWorkers, Workers};
use eyemotion_mail::{
    DatabaseOutbox, MailSender, OutboxKeeper, PruneOutbox, Renderer, SendMail, SmtpTransport,
    Transport,
};
use eyemotion_ports::{Mail, Outbox};
use eyemotion_testkit::TestDatabase;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub struct World {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub outbox: DatabaseOutbox,
    _database: TestDatabase,
}

#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub user_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    pub recipient: String,
    #[diesel(sql_type = Text)]
    pub locale: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub data: Option<Value>,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub message_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Timestamptz)]
    run_at: DateTime<Utc>,
}

pub fn system() -> Ctx {
    Ctx::system("test")
}

pub fn signed_in(id: UserId) -> Ctx {
    system().with_actor(Actor::User {
        id,
        session: SessionId(Uuid::now_v7()),
        role: UserRole::User,
    })
}

pub fn reset_of(to: &str, user: Option<UserId>) -> Mail {
    let data = json!({
        "name": "Somchai", "link": "https://eyemotion.ai/reset?token=s3cret", "code": "123456", "minutes": 30,
    });
    Mail {
        to: EmailAddress::parse(to).unwrap(),
        user,
        template: "reset_password",
        data: data.as_object().unwrap().clone(),
    }
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
        let clock = Arc::new(ManualClock::at("2026-11-22T10:00:30Z".parse().unwrap()));
        Self {
            db: Db::new(&database.config()).unwrap(),
            outbox: DatabaseOutbox::new(clock.clone()),
            clock,
            _database: database,
        }
    }

    pub fn advance(&self, step: TimeDelta) {
        self.clock.advance(step);
    }

    pub async fn begin(&self) -> Tx {
        self.db.begin(&system()).await.unwrap()
    }

    pub async fn post(&self, mail: Mail) -> Result<(), DbError> {
        let mut tx = self.begin().await;
        self.outbox.post(&mut tx, &system(), mail).await?;
        tx.commit().await
    }

    /// Somebody whose profile names this language.
    pub async fn person(&self, email: &str, language: Value) -> UserId {
        let id = UserId(Uuid::now_v7());
        let mut tx = self.begin().await;
        diesel::sql_query("insert into auth.users (id, email) values ($1, $2)")
            .bind::<SqlUuid, _>(id.0)
            .bind::<Text, _>(email)
            .execute(&mut tx)
            .await
            .unwrap();
        diesel::sql_query("insert into public.user_profiles (id, full_name, preferences) values ($1, 'A Person', $2)")
            .bind::<SqlUuid, _>(id.0)
            .bind::<Jsonb, _>(json!({ "language": language }))
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub fn smtp(url: &str) -> Arc<dyn Transport> {
        Arc::new(SmtpTransport::new(&url.to_owned().into(), Duration::from_secs(20)).unwrap())
    }

    /// Workers that send by `transport`.
    pub fn send_by(&self, transport: Arc<dyn Transport>) -> RunningWorkers {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Workers::builder(self.db.clone(), Arc::clone(&clock))
            .poll(Duration::from_millis(20))
            .register::<SendMail>(MailSender {
                db: self.db.clone(),
                clock: Arc::clone(&clock),
                renderer: Renderer::new().unwrap(),
                transport,
                from: "EyeMotion <no-reply@eyemotion.test>".parse().unwrap(),
            })
            .register::<PruneOutbox>(OutboxKeeper::new(self.db.clone(), clock))
            .start()
            .unwrap()
    }

    pub async fn rows(&self) -> Vec<Row> {
        let mut tx = self.db.read(&system()).await.unwrap();
        diesel::sql_query("select * from public.mail_outbox order by id")
            .load(&mut tx)
            .await
            .unwrap()
    }

    pub async fn row(&self) -> Row {
        let mut rows = self.rows().await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// Moves the clock to the next retry, if one waits. Nobody can have claimed it before.
    async fn hurry(&self) {
        let mut tx = self.db.read(&system()).await.unwrap();
        let waiting: Vec<Waiting> =
            diesel::sql_query("select run_at from jobs.jobs where state = 'queued'")
                .load(&mut tx)
                .await
                .unwrap();
        if let Some(next) = waiting.iter().map(|job| job.run_at).min() {
            let wait = next - self.clock.now();
            self.clock.advance(wait.max(TimeDelta::zero()));
        }
    }

    /// The one mail, as soon as it is in this state. Retries come at once.
    pub async fn until(&self, state: &str) -> Row {
        eventually(async || {
            let row = self.row().await;
            if row.state == state {
                return Some(row);
            }
            self.hurry().await;
            None
        })
        .await
    }
}
