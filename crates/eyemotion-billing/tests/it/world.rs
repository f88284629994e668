//! A database with people in it, a clock that can be moved, and the neighbours' parts played.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_billing::{Billing, BillingService, CreditUsage, Ledger, Subscriptions};
use eyemotion_core::{
    Actor, Clock, Credits, Ctx, EmailAddress, ManualClock, PageRequest, SessionId, UserId, UserRole,
};
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_ports::{
    AccountLifecycle, Activity, ActivityLog, Charge, CreditKind, CreditLedger, Grant, LedgerError,
    NewAccount, StorageQuota,
};
use eyemotion_testkit::TestDatabase;
use std::sync::{Arc, Mutex};
use tokio_postgres::Client;
use uuid::Uuid;

/// Remembers what was asked of it.
#[derive(Default)]
pub struct Neighbours {
    pub limits: Mutex<Vec<(UserId, i64)>>,
    pub activities: Mutex<Vec<Activity>>,
}

#[async_trait]
impl StorageQuota for Neighbours {
    async fn set_limit(&self, _: &mut Tx, user: UserId, bytes: i64) -> Result<(), DbError> {
        self.limits.lock().unwrap().push((user, bytes));
        Ok(())
    }
}

#[async_trait]
impl ActivityLog for Neighbours {
    async fn record(&self, _: &mut Tx, _: &Ctx, activity: Activity) -> Result<(), DbError> {
        self.activities.lock().unwrap().push(activity);
        Ok(())
    }
}

pub struct World {
    /// Dropped with the world.
    _database: TestDatabase,
    pub superuser: Client,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub ledger: Ledger,
    pub subscriptions: Arc<Subscriptions>,
    pub billing: BillingService,
    pub neighbours: Arc<Neighbours>,
}

impl World {
    /// The clock stands at the present.
    pub async fn new() -> Self {
        Self::at(Utc::now()).await
    }

    pub async fn at(start: DateTime<Utc>) -> Self {
        let database = TestDatabase::new().await;
        let mut config = database.config();
        config.pool_size = 12;
        let db = Db::new(&config).unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let neighbours = Arc::new(Neighbours::default());
        let time: Arc<dyn Clock> = clock.clone();
        Self {
            superuser: database.admin().await,
            _database: database,
            ledger: Ledger::new(time.clone()),
            subscriptions: Arc::new(Subscriptions::new(
                db.clone(),
                time.clone(),
                neighbours.clone(),
            )),
            billing: BillingService::new(db.clone(), time, neighbours.clone()),
            db,
            clock,
            neighbours,
        }
    }

    /// Somebody without wallet or plan.
    pub async fn stranger(&self) -> UserId {
        let id = Uuid::now_v7();
        self.superuser
            .execute(
                "insert into auth.users (id, email) values ($1, $2)",
                &[&id, &email(id)],
            )
            .await
            .unwrap();
        UserId(id)
    }

    /// Many such at once.
    pub async fn strangers(&self, count: usize) -> Vec<UserId> {
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
        let insert = "insert into auth.users (id, email)
            select id, id || '@example.com' from unnest($1::uuid[]) as id";
        self.superuser.execute(insert, &[&ids]).await.unwrap();
        ids.into_iter().map(UserId).collect()
    }

    /// Somebody on the free plan.
    pub async fn registered(&self) -> UserId {
        let id = self.stranger().await;
        let ctx = Ctx {
            actor: Actor::Anonymous,
            ..Ctx::system("")
        };
        let account = NewAccount {
            id,
            email: EmailAddress::parse(&email(id.0)).unwrap(),
        };
        let mut tx = self.db.begin_for(&ctx).await.unwrap();
        self.subscriptions
            .registered(&mut tx, &ctx, &account)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Somebody with so many bought credits and nothing else.
    pub async fn buyer(&self, credits: i64) -> UserId {
        let user = self.stranger().await;
        self.grant(purchase(user, credits, &user.to_string()))
            .await
            .unwrap();
        user
    }

    pub async fn grant(&self, grant: Grant) -> Result<Credits, LedgerError> {
        let ctx = Ctx::system("test");
        let mut tx = self.db.begin(&ctx).await?;
        let balance = self.ledger.grant(&mut tx, &ctx, grant).await?;
        tx.commit().await?;
        Ok(balance)
    }

    /// Charges in a transaction of its own, as the platform for the person.
    pub async fn spend(&self, charge: Charge) -> Result<Credits, LedgerError> {
        let ctx = as_user(charge.user);
        let mut tx = self.db.begin_for(&ctx).await?;
        let balance = self.ledger.spend(&mut tx, &ctx, charge).await?;
        tx.commit().await?;
        Ok(balance)
    }

    pub async fn balance(&self, user: UserId) -> i64 {
        let mut tx = self.db.read(&as_user(user)).await.unwrap();
        self.ledger.balance(&mut tx, user).await.unwrap().0
    }

    /// Action and credits of what the person spent, newest first.
    pub async fn billing_usage(&self, user: UserId) -> Vec<(String, i64)> {
        let page = PageRequest {
            limit: 100,
            after: None,
        };
        let usage = self.billing.usage(&as_user(user), page).await.unwrap();
        let line = |each: CreditUsage| (each.action, each.credits.0);
        usage.items.into_iter().map(line).collect()
    }

    /// A single number of the database, seen by the superuser.
    pub async fn count(&self, sql: &str) -> i64 {
        self.superuser.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The books agree: entries add up to nothing, wallets equal entries and lots, none is negative.
    pub async fn assert_sound(&self) {
        assert_eq!(
            self.count("select count(*) from credit_ledger_drift()")
                .await,
            0,
            "drift"
        );
        assert_eq!(
            self.count("select coalesce(sum(amount), 0)::bigint from credit_entries")
                .await,
            0
        );
        let lame = "select count(*) from credit_txns t where
            (select coalesce(sum(amount), 1) from credit_entries where txn_id = t.id) <> 0";
        assert_eq!(
            self.count(lame).await,
            0,
            "transactions that do not balance"
        );
        let below = "select count(*) from credit_wallets where posted < 0 or posted - held < 0";
        assert_eq!(self.count(below).await, 0, "negative wallets");
        let moved = "select count(*) from credit_lots l where remaining <>
            (select coalesce(sum(amount), 0) from credit_lot_moves where lot_id = l.id)";
        assert_eq!(
            self.count(moved).await,
            0,
            "lots that differ from their moves"
        );
    }
}

fn email(id: Uuid) -> String {
    format!("{id}@example.com")
}

pub fn as_user(id: UserId) -> Ctx {
    as_role(id, UserRole::User)
}

pub fn as_role(id: UserId, role: UserRole) -> Ctx {
    let session = SessionId(Uuid::nil());
    Ctx {
        actor: Actor::User { id, session, role },
        ..Ctx::system("")
    }
}

pub fn purchase(user: UserId, credits: i64, source: &str) -> Grant {
    Grant {
        user,
        credits: Credits(credits),
        kind: CreditKind::Purchased,
        source_type: "test_order",
        source_id: source.to_owned(),
    }
}

pub fn charge(user: UserId, credits: i64, key: impl ToString) -> Charge {
    Charge {
        user,
        credits: Credits(credits),
        action: "file_upload",
        resource_type: "file",
        resource_id: "a".to_owned(),
        price: None,
        idempotency_key: key.to_string(),
    }
}
