//! Writes subscriptions and payments down as those who converge with Stripe do: each with its time.

use crate::world::World;
use chrono::{DateTime, NaiveDate, Utc};
use eyemotion_billing::{AnalyticsConfig, AnalyticsService};
use eyemotion_core::{Clock, UserId};
use std::sync::Arc;
use uuid::Uuid;

/// The days' tables, as text.
const DAYS: [&str; 4] = [
    "subscription_mrr_daily",
    "mrr_daily",
    "revenue_daily",
    "credits_daily",
];

pub struct Story {
    pub world: World,
    pub analytics: Arc<AnalyticsService>,
}

/// What somebody pays: amount, currency, and for how many of which interval.
pub type Price = (i64, &'static str, i32, &'static str);

impl Story {
    pub async fn at(start: &str, gross_margin_percent: u8) -> Self {
        let world = World::at(moment(start)).await;
        let clock: Arc<dyn Clock> = world.clock.clone();
        let config = AnalyticsConfig {
            gross_margin_percent,
            ..AnalyticsConfig::default()
        };
        let analytics = Arc::new(AnalyticsService::new(world.db.clone(), clock, config));
        Self { world, analytics }
    }

    /// Moves the clock forward.
    pub fn until(&self, at: &str) {
        let step = moment(at) - self.world.clock.now();
        assert!(step >= chrono::Duration::zero());
        self.world.clock.advance(step);
    }

    /// A new subscription of a person.
    pub async fn begins(
        &self,
        user: UserId,
        plan: &str,
        status: &str,
        price: Price,
        at: &str,
    ) -> Uuid {
        let id = Uuid::now_v7();
        let (amount, unit, count, currency) = price;
        let sql = "insert into subscriptions (id, user_id, plan_id, status, current_period_start, current_period_end,
                created_at, recurring_amount, recurring_interval, recurring_interval_count, recurring_currency)
            values ($1, $2, (select id from subscription_plans where name = $3 and billing_interval = 'month'), $4,
                $5::timestamptz, $5::timestamptz + interval '1 month', $5, $6, $7, $8, $9)";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
            &id,
            &user.0,
            &plan,
            &status,
            &moment(at),
            &amount,
            &unit,
            &count,
            &currency,
        ];
        self.world.superuser.execute(sql, &values).await.unwrap();
        id
    }

    /// A change of a subscription, as SQL sets it.
    pub async fn changes(&self, id: Uuid, set: &str, at: &str) {
        let sql = format!("update subscriptions set {set}, state_since = $2 where id = $1");
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&id, &moment(at)];
        assert_eq!(
            self.world.superuser.execute(&sql, &values).await.unwrap(),
            1
        );
    }

    pub async fn moves_to(&self, id: Uuid, plan: &str, amount: i64, at: &str) {
        let plan = format!(
            "(select id from subscription_plans where name = '{plan}' and billing_interval = 'month')"
        );
        let set = format!("plan_id = {plan}, recurring_amount = {amount}");
        self.changes(id, &set, at).await;
    }

    pub async fn ends(&self, id: Uuid, at: &str) {
        let set = format!("status = 'cancelled', ended_at = '{at}', cancelled_at = '{at}'");
        self.changes(id, &set, at).await;
    }

    /// A payment: for a plan, or for credits where there is none.
    pub async fn pays(
        &self,
        user: UserId,
        plan: Option<&str>,
        (amount, tax, currency): (i64, i64, &str),
        status: &str,
        at: &str,
    ) -> Uuid {
        let id = Uuid::now_v7();
        let sql = "insert into payment_transactions (id, user_id, amount, tax_amount, currency, status, transaction_type,
                plan_id, processed_at, created_at)
            values ($1, $2, $3, $4, $5, $6, case when $7::text is null then 'credit_purchase' else 'subscription' end,
                (select id from subscription_plans where name = $7 and billing_interval = 'month'), $8, $8)";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
            &id,
            &user.0,
            &amount,
            &tax,
            &currency,
            &status,
            &plan,
            &moment(at),
        ];
        self.world.superuser.execute(sql, &values).await.unwrap();
        id
    }

    pub async fn refunds(&self, payment: Uuid, amount: i64, status: &str, at: &str) {
        let sql = "insert into payment_transactions (user_id, amount, currency, status, transaction_type, payment_id,
                processed_at, created_at)
            select user_id, $2, currency, $3, 'refund', id, $4, $4 from payment_transactions where id = $1";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&payment, &amount, &status, &moment(at)];
        self.world.superuser.execute(sql, &values).await.unwrap();
    }

    pub async fn disputes(&self, payment: Uuid, amount: i64, status: &str, at: &str) {
        let sql = "insert into payment_disputes (stripe_dispute_id, user_id, payment_id, amount, currency, status, created_at)
            select 'dp_' || id, user_id, id, $2, currency, $3, $4 from payment_transactions where id = $1";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&payment, &amount, &status, &moment(at)];
        self.world.superuser.execute(sql, &values).await.unwrap();
    }

    /// What was written until now becomes old news, so that the next refresh looks at newer only.
    pub async fn grows_old(&self) {
        let sql = "set session_replication_role = replica;
            update subscription_history set recorded_at = recorded_at - interval '1 day';
            update payment_transactions set updated_at = updated_at - interval '1 day';
            update payment_disputes set updated_at = updated_at - interval '1 day';
            set session_replication_role = origin";
        self.world.superuser.batch_execute(sql).await.unwrap();
    }

    /// Every row of every day.
    pub async fn days(&self) -> Vec<String> {
        let mut days = Vec::new();
        for table in DAYS {
            let sql = format!("select '{table} ' || t::text from {table} t order by 1");
            let rows = self.world.superuser.query(&sql, &[]).await.unwrap();
            days.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        }
        days
    }
}

pub fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
