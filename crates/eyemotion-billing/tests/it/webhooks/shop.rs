//! A shop: the double of Stripe with our plans in it, people who buy, and what follows them.

use crate::world::World;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_billing::{
    CancelLapsed, Convergence, ConvergenceParts, DriftReport, EndGrace, EventFilter, PaymentsProbe,
    ProcessStripeEvent, ReconcileScope, Stripe, StripeConfig, StripeEvent, StripeWebhooks,
    WebhookError, Webhooks,
};
use eyemotion_core::{Clock, Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_jobs::{RunningWorkers, Workers};
use eyemotion_ports::{Mail, Outbox};
use eyemotion_stripe_fake::{Card, Delivery, Policy, StripeFake};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

#[derive(Default)]
pub struct Mailbox(pub Mutex<Vec<Mail>>);

#[async_trait]
impl Outbox for Mailbox {
    async fn post(&self, _: &mut Tx, _: &Ctx, mail: Mail) -> Result<(), DbError> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

pub struct Shop {
    pub world: World,
    pub fake: StripeFake,
    pub webhooks: Arc<StripeWebhooks>,
    pub mailbox: Arc<Mailbox>,
    workers: Option<RunningWorkers>,
}

/// Somebody with an account at Stripe's.
#[derive(Clone, Debug)]
pub struct Buyer {
    pub user: UserId,
    pub customer: String,
}

pub fn start() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

impl Shop {
    /// Its clock and Stripe's stand at the same moment.
    pub async fn open() -> Self {
        let world = World::at(start()).await;
        let fake = StripeFake::start_at(start().timestamp());
        let mailbox = Arc::new(Mailbox::default());
        let clock: Arc<dyn Clock> = world.clock.clone();
        let config = StripeConfig {
            base_url: fake.url().to_owned(),
            timeout: Duration::from_secs(5),
            ..StripeConfig::new(fake.secret_key().into())
        };
        let convergence = Convergence::new(ConvergenceParts {
            db: world.db.clone(),
            stripe: Stripe::new(&config).unwrap(),
            quota: world.neighbours.clone(),
            activity: world.neighbours.clone(),
            outbox: mailbox.clone(),
            clock: clock.clone(),
            grace: TimeDelta::days(7),
        });
        let webhooks = Arc::new(StripeWebhooks::new(
            world.db.clone(),
            clock.clone(),
            vec!["whsec_old".into(), fake.webhook_secret().into()],
            TimeDelta::minutes(5),
            Some(convergence),
        ));
        // The shop's clock starts nothing by itself: tests say when.
        let workers = Workers::builder(world.db.clone(), clock)
            .register::<ProcessStripeEvent>(webhooks.clone())
            .register::<CancelLapsed>(webhooks.clone())
            .register::<EndGrace>(webhooks.clone())
            .poll(Duration::from_millis(50))
            .start()
            .unwrap();
        let shop = Self {
            world,
            fake,
            webhooks,
            mailbox,
            workers: Some(workers),
        };
        for (name, amount) in [("creator", 29_900), ("pro", 99_900), ("studio", 299_900)] {
            shop.sell(name, amount).await;
        }
        shop.fake.events_since();
        shop
    }

    async fn sell(&self, plan: &str, amount: i64) {
        let product = self.stripe("/products", &[("name", plan)]).await;
        let amount = amount.to_string();
        let key = format!("{plan}:month:thb");
        let price = self
            .stripe(
                "/prices",
                &[
                    ("product", product["id"].as_str().unwrap()),
                    ("currency", "thb"),
                    ("unit_amount", &amount),
                    ("recurring[interval]", "month"),
                    ("lookup_key", &key),
                    ("metadata[plan_name]", plan),
                ],
            )
            .await;
        self.world
            .superuser
            .execute(
                "update subscription_plans set stripe_price_id = $1, price = $2 where name = $3",
                &[
                    &price["id"].as_str().unwrap(),
                    &amount.parse::<i64>().unwrap(),
                    &plan,
                ],
            )
            .await
            .unwrap();
    }

    /// A call of Stripe's API that no code of ours makes.
    pub async fn stripe(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let url = format!("{}v1{path}", self.fake.url());
        let request = http::Request::post(url)
            .header(
                "authorization",
                format!("Bearer {}", self.fake.secret_key()),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert!(status.is_success(), "{path}: {value}");
        value
    }

    pub async fn delete(&self, path: &str) {
        let url = format!("{}v1{path}", self.fake.url());
        let request = http::Request::delete(url)
            .header(
                "authorization",
                format!("Bearer {}", self.fake.secret_key()),
            )
            .body(Full::new(Bytes::new()))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}");
    }

    /// Somebody on the free plan whom Stripe knows.
    pub async fn buyer(&self) -> Buyer {
        let user = self.world.registered().await;
        let owner = user.to_string();
        let customer = self
            .stripe("/customers", &[("metadata[user_id]", &owner)])
            .await;
        let customer = customer["id"].as_str().unwrap().to_owned();
        let insert = "insert into stripe_customers (user_id, stripe_customer_id) values ($1, $2)";
        let superuser = &self.world.superuser;
        superuser
            .execute(insert, &[&user.0, &customer])
            .await
            .unwrap();
        Buyer { user, customer }
    }

    async fn order(&self, buyer: &Buyer, kind: &str, what: &str, amount: i64) -> Uuid {
        let id = Uuid::now_v7();
        let insert = "
insert into payment_orders (id, user_id, kind, plan_id, credits, amount, success_url, cancel_url, expires_at)
values ($1, $2, $3, (select id from subscription_plans where name = $4 and $3 = 'subscription'),
    case when $3 = 'credits' then $4::bigint end, $5, 'https://a/', 'https://b/', now() + interval '1 day')";
        let superuser = &self.world.superuser;
        superuser
            .execute(insert, &[&id, &buyer.user.0, &kind, &what, &amount])
            .await
            .unwrap();
        id
    }

    async fn session(&self, buyer: &Buyer, order: Uuid, form: &[(&str, &str)]) -> String {
        let (order_id, user) = (order.to_string(), buyer.user.to_string());
        let mut whole = vec![
            ("customer", buyer.customer.as_str()),
            ("client_reference_id", &user),
            ("metadata[order_id]", &order_id),
            ("success_url", "https://a/"),
            ("cancel_url", "https://b/"),
            ("line_items[0][quantity]", "1"),
        ];
        whole.extend_from_slice(form);
        let session = self.stripe("/checkout/sessions", &whole).await;
        let id = session["id"].as_str().unwrap().to_owned();
        let update = "update payment_orders set stripe_checkout_session_id = $2, status = 'open' where id = $1";
        let superuser = &self.world.superuser;
        superuser.execute(update, &[&order, &id]).await.unwrap();
        id
    }

    /// Somebody sets out to subscribe; returns the checkout session.
    pub async fn choose_plan(&self, buyer: &Buyer, plan: &str, more: &[(&str, &str)]) -> String {
        let (price, amount) = self.price(plan).await;
        let order = self.order(buyer, "subscription", plan, amount).await;
        let mut form = vec![
            ("mode", "subscription"),
            ("line_items[0][price]", price.as_str()),
        ];
        form.extend_from_slice(more);
        self.session(buyer, order, &form).await
    }

    /// Somebody sets out to buy credits; returns the order and the checkout session.
    pub async fn choose_pack(&self, buyer: &Buyer, credits: i64) -> (Uuid, String) {
        let amount = credits * 50;
        let order = self
            .order(buyer, "credits", &credits.to_string(), amount)
            .await;
        let (amount, order_id) = (amount.to_string(), order.to_string());
        let form = [
            ("mode", "payment"),
            ("payment_method_types[0]", "card"),
            ("payment_method_types[1]", "promptpay"),
            ("line_items[0][price_data][currency]", "thb"),
            ("line_items[0][price_data][unit_amount]", amount.as_str()),
            ("line_items[0][price_data][product_data][name]", "Credits"),
            ("payment_intent_data[metadata][order_id]", &order_id),
        ];
        (order, self.session(buyer, order, &form).await)
    }

    pub async fn price(&self, plan: &str) -> (String, i64) {
        let query = "select stripe_price_id, price from subscription_plans where name = $1";
        let row = self
            .world
            .superuser
            .query_one(query, &[&plan])
            .await
            .unwrap();
        (row.get(0), row.get(1))
    }

    /// Somebody has subscribed and paid; returns the subscription.
    pub async fn subscribe(&self, buyer: &Buyer, plan: &str) -> String {
        let session = self.choose_plan(buyer, plan, &[]).await;
        let done = self.fake.complete_checkout(&session, Card::Visa).unwrap();
        done["subscription"].as_str().unwrap().to_owned()
    }

    /// Somebody has bought credits; returns the order and the charge.
    pub async fn buy(&self, buyer: &Buyer, credits: i64) -> (Uuid, String) {
        let (order, session) = self.choose_pack(buyer, credits).await;
        let done = self.fake.complete_checkout(&session, Card::Visa).unwrap();
        let intent = done["payment_intent"].as_str().unwrap();
        let intent = self.fake.object(intent).unwrap();
        (order, intent["latest_charge"].as_str().unwrap().to_owned())
    }

    /// Puts a subscription on another plan at once, as the portal or we ourselves do.
    pub async fn switch(&self, subscription: &str, plan: &str) {
        let theirs = self.fake.object(subscription).unwrap();
        let item = theirs["items"]["data"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let (price, _) = self.price(plan).await;
        let form = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", &price),
            ("proration_behavior", "always_invoice"),
        ];
        self.stripe(&format!("/subscriptions/{subscription}"), &form)
            .await;
    }

    /// Moves both clocks.
    pub fn advance(&self, by: TimeDelta) {
        self.world.clock.advance(by);
        self.fake.advance(by.to_std().unwrap());
    }

    /// Brings the new events in, each once and in order, and waits until all are done.
    pub async fn deliver(&self) {
        self.fake.advance_to(self.world.clock.now().timestamp());
        for delivery in self.fake.deliveries(&Policy::default()).sent {
            self.receive(&delivery).await.unwrap();
        }
        self.settle().await;
    }

    pub async fn receive(&self, delivery: &Delivery) -> Result<(), WebhookError> {
        let ctx = Ctx::system("test");
        let signature = Some(delivery.signature.as_str());
        self.webhooks.receive(&ctx, &delivery.body, signature).await
    }

    /// Waits until no event waits, moving the clock to the next try where one failed.
    pub async fn settle(&self) {
        for _ in 0..6_000 {
            let waiting = "select count(*) from jobs.jobs where state <> 'dead'";
            if self.world.count(waiting).await == 0 {
                return;
            }
            let now = self.world.clock.now();
            let next = "select count(*), min(run_at) filter (where state = 'queued') from jobs.jobs
                where state <> 'dead' and (state = 'running' or run_at <= $1)";
            let row = self.world.superuser.query_one(next, &[&now]).await.unwrap();
            if row.get::<_, i64>(0) == 0 {
                self.world.clock.advance(TimeDelta::seconds(10));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "events still wait: {:?}",
            self.events(EventFilter::default()).await
        );
    }

    pub async fn events(&self, filter: EventFilter) -> Vec<StripeEvent> {
        let ctx = Ctx::system("test");
        self.webhooks.events(&ctx, &filter, 10_000).await.unwrap()
    }

    pub async fn reconcile(&self, scope: ReconcileScope) -> DriftReport {
        let ctx = Ctx::system("test");
        let report = self.webhooks.reconcile(&ctx, scope).await.unwrap();
        self.settle().await;
        report
    }

    pub fn probe(&self) -> PaymentsProbe {
        let clock: Arc<dyn Clock> = self.world.clock.clone();
        PaymentsProbe::new(self.world.db.clone(), clock, true)
    }

    /// The plan and the status of somebody's live subscription.
    pub async fn plan(&self, buyer: &Buyer) -> (String, String) {
        let query = "select p.name, s.status from subscriptions s join subscription_plans p on p.id = s.plan_id
            where s.user_id = $1 and s.status in ('active', 'trialing', 'past_due')";
        let row = self
            .world
            .superuser
            .query_one(query, &[&buyer.user.0])
            .await
            .unwrap();
        (row.get(0), row.get(1))
    }

    /// What was ever granted for something of this sort.
    pub async fn granted(&self, buyer: &Buyer, source_type: &str) -> i64 {
        let query = "select coalesce(sum(granted), 0)::bigint from credit_lots where user_id = $1 and source_type = $2";
        let superuser = &self.world.superuser;
        let row = superuser
            .query_one(query, &[&buyer.user.0, &source_type])
            .await
            .unwrap();
        row.get(0)
    }

    /// Rows as JSON, without what differs from run to run.
    pub async fn rows(&self, sql: &str) -> Vec<Value> {
        let rows = self.world.superuser.query(sql, &[]).await.unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(row.get::<_, &str>(0)).unwrap_or(json!(null)))
            .collect()
    }

    /// Ends the workers before the database goes.
    pub async fn close(mut self) {
        if let Some(workers) = self.workers.take() {
            workers.drain(Duration::from_secs(5)).await;
        }
    }
}

impl Shop {
    /// What the hourly job does.
    pub async fn end_grace(&self) {
        let mut tx = self.world.db.begin(&Ctx::system("test")).await.unwrap();
        let options = eyemotion_jobs::Enqueue::new();
        eyemotion_jobs::enqueue(&mut tx, &*self.world.clock, &EndGrace {}, options)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.settle().await;
    }
}
