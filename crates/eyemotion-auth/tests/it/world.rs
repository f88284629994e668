//! The service on a database of its own, with a clock that stands and fakes for its neighbours.

use async_trait::async_trait;
use chrono::{SubsecRound, TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Nullable, Text, Uuid as SqlUuid};
use eyemotion_auth::{
    AccountService, Accounts, ApiKeyKeeper, AuthConfig, AuthDependencies, AuthError, Keys, NewUser,
    Registered, SessionGate, SessionScope, SessionTokens, Sessions, Throttling,
};
use eyemotion_core::{Actor, Ctx, ManualClock, UserId};
use eyemotion_db::personal::PersonalTable;
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_ports::{
    AccountLifecycle, Activity, ActivityLog, Erasure, Leaver, Mail, NewAccount, Outbox,
};
use eyemotion_testkit::TestDatabase;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse";
pub const EMAIL: &str = "test@example.com";

pub struct World {
    pub database: TestDatabase,
    pub clock: Arc<ManualClock>,
    pub billing: Arc<FakeBilling>,
    pub mails: Arc<FakeOutbox>,
    pub accounts: AccountService,
    pub dependencies: AuthDependencies,
}

/// Somebody with a session.
pub struct Person {
    pub id: UserId,
    pub ctx: Ctx,
    pub tokens: SessionTokens,
}

/// Gives everybody the free plan and 100 credits, or fails.
#[derive(Default)]
pub struct FakeBilling {
    pub broken: AtomicBool,
}

#[async_trait]
impl AccountLifecycle for FakeBilling {
    async fn registered(&self, tx: &mut Tx, _: &Ctx, new: &NewAccount) -> Result<(), DbError> {
        for statement in [
            "INSERT INTO subscriptions (user_id, plan_id, status, current_period_start, \
             current_period_end) SELECT $1, id, 'active', now(), now() + interval '1 month' \
             FROM subscription_plans WHERE name = 'freemium'",
            "INSERT INTO credit_lots (user_id, kind, granted, remaining, source_type, source_id) \
             VALUES ($1, 'included', 100, 90, 'test', $1::text)",
        ] {
            let query = diesel::sql_query(statement).bind::<SqlUuid, _>(new.id.0);
            diesel_async::RunQueryDsl::execute(query, tx).await?;
        }
        if self.broken.load(Ordering::Relaxed) {
            Err(DbError::NotFound)
        } else {
            Ok(())
        }
    }

    fn domain(&self) -> &'static str {
        "billing"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[]
    }

    /// As the real one: what is there stays.
    async fn erase(&self, _: &mut Tx, _: &Ctx, _: &Leaver) -> Result<Erasure, DbError> {
        Ok(Erasure::Done)
    }
}

/// Writes to the real table, so that a rollback takes its lines back.
struct FakeLog;

#[async_trait]
impl ActivityLog for FakeLog {
    async fn record(&self, tx: &mut Tx, ctx: &Ctx, activity: Activity) -> Result<(), DbError> {
        let user = activity.user.or(ctx.user_id()).map(|user| user.0);
        let sql = "INSERT INTO activity_logs (user_id, action, details) VALUES ($1, $2, $3)";
        let query = diesel::sql_query(sql)
            .bind::<Nullable<SqlUuid>, _>(user)
            .bind::<Text, _>(activity.action)
            .bind::<Jsonb, _>(activity.details);
        diesel_async::RunQueryDsl::execute(query, tx).await?;
        Ok(())
    }
}

/// Keeps what was posted, also by transactions that were rolled back.
#[derive(Default)]
pub struct FakeOutbox(Mutex<Vec<Mail>>);

#[async_trait]
impl Outbox for FakeOutbox {
    async fn post(&self, _: &mut Tx, _: &Ctx, mail: Mail) -> Result<(), DbError> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

impl FakeOutbox {
    /// What was posted since the last time.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl World {
    pub async fn new() -> Self {
        // What wrong passwords cost later ones has tests of its own.
        let config = AuthConfig {
            throttling: Throttling::Off,
            ..AuthConfig::default()
        };
        Self::with(config).await
    }

    pub async fn with(config: AuthConfig) -> Self {
        let database = TestDatabase::new().await;
        let clock = Arc::new(ManualClock::at(Utc::now().trunc_subsecs(6)));
        let billing = Arc::new(FakeBilling::default());
        let mails = Arc::new(FakeOutbox::default());
        let dependencies = AuthDependencies {
            db: Db::new(&database.config()).unwrap(),
            clock: clock.clone(),
            keys: Arc::new(Keys::ephemeral().unwrap()),
            activity: Arc::new(FakeLog),
            outbox: mails.clone(),
            lifecycle: vec![billing.clone()],
        };
        let accounts = AccountService::new(dependencies.clone(), config);
        Self {
            database,
            clock,
            billing,
            mails,
            accounts,
            dependencies,
        }
    }

    /// The same service once more, as in another process.
    pub fn another(&self, config: AuthConfig) -> AccountService {
        AccountService::new(self.dependencies.clone(), config)
    }

    /// The service for API keys, as in a process of its own.
    pub fn api_keys(&self) -> ApiKeyKeeper {
        let db = Db::new(&self.database.config()).unwrap();
        let (clock, activity) = (self.clock.clone(), Arc::new(FakeLog));
        let changes = db.changes();
        ApiKeyKeeper::new(db, clock, activity, &changes)
    }

    /// A world with one person in it, signed in.
    pub async fn with_person() -> (Self, Person) {
        let world = Self::new().await;
        let person = world.person(EMAIL).await;
        (world, person)
    }

    pub async fn person(&self, email: &str) -> Person {
        let registered = self.register(email).await.unwrap();
        let tokens = registered.session.unwrap();
        Person {
            id: registered.id,
            ctx: self.ctx_of(&tokens),
            tokens,
        }
    }

    pub async fn register(&self, email: &str) -> Result<Registered, AuthError> {
        self.accounts.register(&nobody(), new_user(email)).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Person, AuthError> {
        let signed_in = self
            .accounts
            .sign_in(&nobody(), email, password.into())
            .await?;
        let ctx = self.ctx_of(&signed_in.tokens);
        Ok(Person {
            id: signed_in.account.id,
            ctx,
            tokens: signed_in.tokens,
        })
    }

    pub async fn sign_out(&self, person: &Person) -> Result<usize, AuthError> {
        let scope = SessionScope::Local;
        self.accounts.sign_out(&person.ctx, scope).await
    }

    /// Whether the person's access token is let in.
    pub async fn admitted(&self, person: &Person) -> Result<(), AuthError> {
        let token = &person.tokens.access_token;
        self.accounts.admit(&nobody(), token).await.map(|_| ())
    }

    /// Whom the tokens speak for.
    pub fn ctx_of(&self, tokens: &SessionTokens) -> Ctx {
        nobody().with_actor(self.accounts.authenticate(&tokens.access_token).unwrap())
    }

    pub fn advance(&self, step: TimeDelta) {
        self.clock.advance(step);
    }

    /// Runs a statement past all policies.
    pub async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) {
        self.database
            .admin()
            .await
            .execute(sql, values)
            .await
            .unwrap();
    }

    /// Counts past all policies: everything of the table, or what the condition leaves.
    pub async fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {from}");
        self.database
            .admin()
            .await
            .query_one(&sql, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// How often the log tells of this.
    pub async fn logged(&self, action: &str) -> i64 {
        self.count(&format!("activity_logs WHERE action = '{action}'"))
            .await
    }
}

impl Person {
    pub fn session(&self) -> Uuid {
        match self.ctx.actor {
            Actor::User { session, .. } => session.0,
            Actor::Anonymous | Actor::ApiKey { .. } | Actor::System(_) => Uuid::nil(),
        }
    }
}

/// A request of somebody who has not signed in.
pub fn nobody() -> Ctx {
    Ctx {
        actor: Actor::Anonymous,
        request_id: "request-1".to_owned(),
        ip: Some("192.0.2.7".parse().unwrap()),
        user_agent: Some("Browser/1.0".to_owned()),
        idempotency: None,
        unproven_at: None,
    }
}

pub fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.to_owned(),
        password: PASSWORD.into(),
        full_name: "Test User".to_owned(),
        company_name: None,
        industry: None,
        country: None,
        phone: None,
    }
}
