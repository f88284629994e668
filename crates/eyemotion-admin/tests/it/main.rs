//! The activity log on a real database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use eyemotion_admin::{
    ActivityLogKeeper, DatabaseActivityLog, ForgetIdempotencyKeys, IdempotencyKeyKeeper,
    MaintainActivityLog,
};
use eyemotion_core::{Actor, Clock, Ctx, ManualClock, SessionId, UserId, UserRole};
use eyemotion_db::Db;
use eyemotion_jobs::{Enqueue, Workers, enqueue};
use eyemotion_ports::{Activity, ActivityLog};
use eyemotion_testkit::TestDatabase;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

#[derive(diesel::QueryableByName, Debug)]
struct Line {
    #[diesel(sql_type = Nullable<diesel::sql_types::Uuid>)]
    user_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Jsonb)]
    details: Value,
    #[diesel(sql_type = Nullable<Text>)]
    ip_address: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    user_agent: Option<String>,
    #[diesel(sql_type = Nullable<diesel::sql_types::Uuid>)]
    session_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
}

async fn lines(db: &Db, ctx: &Ctx) -> Vec<Line> {
    let mut tx = db.read(ctx).await.unwrap();
    diesel::sql_query("SELECT * FROM public.activity_logs ORDER BY created_at, id")
        .load(&mut tx)
        .await
        .unwrap()
}

fn person() -> Ctx {
    let actor = Actor::User {
        id: UserId(Uuid::now_v7()),
        session: SessionId(Uuid::now_v7()),
        role: UserRole::User,
    };
    Ctx {
        actor,
        request_id: "request-1".to_owned(),
        ip: Some("2001:db8::1".parse().unwrap()),
        user_agent: Some("ก".repeat(2000)),
        idempotency: None,
        unproven_at: None,
    }
}

#[tokio::test]
async fn a_line_says_who_did_it_from_where() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let ctx = person();
    let line = Activity::new("project.created", "project", 7).with(json!({ "name": "x" }));

    let mut tx = db.begin_for(&ctx).await.unwrap();
    DatabaseActivityLog
        .record(&mut tx, &ctx, line.clone())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // Not committed, not done, not logged.
    let mut tx = db.begin_for(&ctx).await.unwrap();
    DatabaseActivityLog
        .record(&mut tx, &ctx, line)
        .await
        .unwrap();
    drop(tx);

    let found = lines(&db, &ctx).await;
    let [line] = found.as_slice() else {
        panic!("{found:?}")
    };
    let Actor::User { id, session, .. } = ctx.actor else {
        unreachable!()
    };
    assert_eq!(line.user_id, Some(id.0));
    assert_eq!(line.session_id, Some(session.0));
    assert_eq!(line.action, "project.created");
    assert_eq!(line.details, json!({ "name": "x" }));
    assert_eq!(line.ip_address.as_deref(), Some("2001:db8::1"));
    assert_eq!(line.user_agent, Some("ก".repeat(512)));
    assert_eq!(line.request_id.as_deref(), Some("request-1"));
    assert!(
        lines(&db, &person()).await.is_empty(),
        "nobody sees another's log"
    );
}

#[tokio::test]
async fn the_platform_is_named_in_a_persons_log() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let (ctx, user) = (Ctx::system("auth"), UserId(Uuid::now_v7()));
    let mut tx = db.begin(&ctx).await.unwrap();
    let line = Activity::new("account.registered", "user", user).of(user);
    DatabaseActivityLog
        .record(&mut tx, &ctx, line)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let found = lines(&db, &ctx).await;
    assert_eq!(found[0].user_id, Some(user.0));
    assert_eq!(found[0].details, json!({ "actor": "system:auth" }));
}

#[tokio::test]
async fn the_job_makes_partitions_ahead_and_drops_old_ones() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    // Far from the present, whose partitions the migration has made.
    let start: DateTime<Utc> = Utc::now() + TimeDelta::days(400);
    let clock = Arc::new(ManualClock::at(start));
    let keeper = ActivityLogKeeper::new(db.clone(), clock.clone());
    let workers = Workers::builder(db.clone(), clock.clone());
    let running = workers
        .register::<MaintainActivityLog>(keeper)
        .start()
        .unwrap();
    let ctx = Ctx::system("test");
    let mut tx = db.begin(&ctx).await.unwrap();
    enqueue(&mut tx, &*clock, &MaintainActivityLog {}, Enqueue::new())
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let admin = database.admin().await;
    let partitions = async || -> Vec<String> {
        let names = "SELECT inhrelid::regclass::text FROM pg_inherits \
                     WHERE inhparent = 'public.activity_logs'::regclass ORDER BY 1";
        admin
            .query(names, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect()
    };
    let wanted = start.format("activity_logs_y%Ym%m").to_string();
    let kept = async {
        while !partitions().await.contains(&wanted) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), kept)
        .await
        .unwrap();
    let names = partitions().await;
    assert_eq!(
        names.as_slice().first(),
        Some(&wanted),
        "months that ended long ago are gone: {names:?}"
    );
    assert_eq!(names.len(), 4, "this month and three more: {names:?}");
    assert_eq!(clock.now(), start);
    running.drain(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn the_job_forgets_keys_after_24_hours() {
    let database = TestDatabase::new().await;
    let db = Db::new(&database.config()).unwrap();
    let admin = database.admin().await;
    admin
        .batch_execute(
            "begin; set local role service_role; set local request.jwt.claim.role = 'service_role'; \
             insert into auth.users (email) values ('a@example.com'); \
             insert into idempotency_keys (user_id, operation, key, request_hash, created_at) \
             select id, 'op', hours::text, sha256(''), timestamptz '2030-01-02Z' - make_interval(hours => hours) \
             from auth.users, unnest(array[23, 25]) as hours; commit",
        )
        .await
        .unwrap();
    let clock = Arc::new(ManualClock::at("2030-01-02T00:00:00Z".parse().unwrap()));
    let keeper = IdempotencyKeyKeeper::new(db.clone(), clock.clone());
    let workers = Workers::builder(db.clone(), clock.clone());
    let running = workers
        .register::<ForgetIdempotencyKeys>(keeper)
        .start()
        .unwrap();
    let mut tx = db.begin(&Ctx::system("test")).await.unwrap();
    enqueue(&mut tx, &*clock, &ForgetIdempotencyKeys {}, Enqueue::new())
        .await
        .unwrap();
    tx.commit().await.unwrap();

    admin
        .batch_execute("set role service_role; set request.jwt.claim.role = 'service_role'")
        .await
        .unwrap();
    let keys = async || -> Vec<String> {
        let rows = admin.query("select key from idempotency_keys order by 1", &[]);
        rows.await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let swept = async {
        while keys().await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), swept)
        .await
        .unwrap();
    assert_eq!(keys().await, ["23"]);
    running.drain(Duration::from_secs(10)).await;
}
