//! A database with people in it, a clock that can be moved, and the neighbours' parts played.

use async_trait::async_trait;
use chrono::Utc;
use eyemotion_core::{
    Actor, Clock, Ctx, IdempotencyKey, ManualClock, PageRequest, ProjectId, SessionId, UserId,
    UserRole,
};
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_ports::{Activity, ActivityLog, ProjectContents};
use eyemotion_projects::{NewProject, Project, ProjectFilter, ProjectService, Projects};
use eyemotion_testkit::TestDatabase;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio_postgres::Client;
use uuid::Uuid;

/// The neighbours. Each leaves a trace in the caller's transaction, and fails when told to.
#[derive(Default)]
pub struct Neighbours {
    pub fail_discard: AtomicBool,
    pub fail_record: AtomicBool,
    pub activities: Mutex<Vec<Activity>>,
}

#[async_trait]
impl ProjectContents for Neighbours {
    async fn discard(&self, tx: &mut Tx, ctx: &Ctx, project: ProjectId) -> Result<(), DbError> {
        let trace = "insert into storage_quotas (user_id, limit_bytes)
            select user_id, 42 from projects where id = $1 and user_id = $2";
        let trace = diesel::sql_query(trace)
            .bind::<diesel::sql_types::Uuid, _>(project.0)
            .bind::<diesel::sql_types::Uuid, _>(ctx.user_id().unwrap().0);
        // By its full name: in scope, the trait would hide tokio-postgres' own `execute`.
        diesel_async::RunQueryDsl::execute(trace, tx).await?;
        fail_if(&self.fail_discard)
    }
}

#[async_trait]
impl ActivityLog for Neighbours {
    async fn record(&self, _: &mut Tx, _: &Ctx, activity: Activity) -> Result<(), DbError> {
        self.activities.lock().unwrap().push(activity);
        fail_if(&self.fail_record)
    }
}

fn fail_if(flag: &AtomicBool) -> Result<(), DbError> {
    if flag.load(Ordering::Relaxed) {
        Err(DbError::Other("told to fail".into()))
    } else {
        Ok(())
    }
}

pub struct World {
    /// Dropped with the world.
    _database: TestDatabase,
    pub superuser: Client,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub projects: Arc<ProjectService>,
    pub neighbours: Arc<Neighbours>,
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await;
        let mut config = database.config();
        config.pool_size = 12;
        let db = Db::new(&config).unwrap();
        let clock = Arc::new(ManualClock::at(Utc::now()));
        let time: Arc<dyn Clock> = clock.clone();
        let neighbours = Arc::new(Neighbours::default());
        Self {
            superuser: database.admin().await,
            _database: database,
            projects: Arc::new(ProjectService::new(
                db.clone(),
                time,
                neighbours.clone(),
                neighbours.clone(),
            )),
            db,
            clock,
            neighbours,
        }
    }

    pub async fn person(&self) -> Ctx {
        let id = Uuid::now_v7();
        let email = format!("{id}@example.com");
        self.superuser
            .execute(
                "insert into auth.users (id, email) values ($1, $2)",
                &[&id, &email],
            )
            .await
            .unwrap();
        acting(UserId(id), UserRole::User)
    }

    pub async fn project(&self, ctx: &Ctx, name: &str) -> Project {
        self.projects.create(ctx, named(name)).await.unwrap()
    }

    /// The names on each page of the caller's list.
    pub async fn pages(&self, ctx: &Ctx, filter: ProjectFilter, limit: i64) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut page = PageRequest { limit, after: None };
        loop {
            let found = self.projects.list(ctx, filter, page).await.unwrap();
            pages.push(
                found
                    .items
                    .into_iter()
                    .map(|project| project.name)
                    .collect(),
            );
            match found.next {
                Some(next) => page.after = Some(next),
                None => return pages,
            }
        }
    }

    /// A single number of the database, seen by the superuser.
    pub async fn count(&self, sql: &str) -> i64 {
        self.superuser.query_one(sql, &[]).await.unwrap().get(0)
    }

    pub fn actions(&self) -> Vec<&'static str> {
        self.neighbours
            .activities
            .lock()
            .unwrap()
            .iter()
            .map(|each| each.action)
            .collect()
    }
}

pub fn acting(id: UserId, role: UserRole) -> Ctx {
    let session = SessionId(Uuid::nil());
    Ctx {
        actor: Actor::User { id, session, role },
        ..Ctx::system("")
    }
}

pub fn as_admin(ctx: &Ctx) -> Ctx {
    acting(ctx.user_id().unwrap(), UserRole::Admin)
}

pub fn with_key(ctx: &Ctx, key: &str, body: u8) -> Ctx {
    let idempotency = IdempotencyKey {
        key: key.to_owned(),
        request_hash: [body; 32],
    };
    Ctx {
        idempotency: Some(idempotency),
        ..ctx.clone()
    }
}

pub fn named(name: &str) -> NewProject {
    NewProject {
        name: name.to_owned(),
        ..NewProject::default()
    }
}
