//! A till: the payments service with the double of Stripe behind it.

use crate::world::World;
pub use crate::world::as_user as person;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_billing::{
    Billing, Catalogue, Checkout, Convergence, ConvergenceParts, PaymentError, Payments,
    PaymentsParts, PaymentsService, RedirectOrigins, ReturnUrls, Stripe, StripeConfig,
};
use eyemotion_core::{Clock, Coded, Credits, Ctx, ErrorCode};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Mail, Outbox};
use eyemotion_stripe_fake::{Card, StripeFake};
use std::sync::Arc;
use std::time::Duration;

struct NoMail;

#[async_trait]
impl Outbox for NoMail {
    async fn post(&self, _: &mut Tx, _: &Ctx, _: Mail) -> Result<(), DbError> {
        Ok(())
    }
}

pub struct Till {
    pub world: World,
    pub fake: StripeFake,
    pub payments: Arc<PaymentsService>,
    pub stripe: Stripe,
}

pub fn start() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

pub fn urls() -> ReturnUrls {
    ReturnUrls {
        success: Some("https://app.example.com/paid".to_owned()),
        cancel: Some("https://app.example.com/back".to_owned()),
    }
}

pub fn code<T>(answer: Result<T, PaymentError>) -> ErrorCode {
    match answer {
        Ok(_) => panic!("should have been refused"),
        Err(error) => error.code(),
    }
}

impl Till {
    pub async fn open() -> Self {
        Self::with_timeout(Duration::from_secs(10)).await
    }

    pub async fn with_timeout(timeout: Duration) -> Self {
        let world = World::at(start()).await;
        let fake = StripeFake::start_at(start().timestamp());
        let config = StripeConfig {
            base_url: fake.url().to_owned(),
            timeout,
            ..StripeConfig::new(fake.secret_key().into())
        };
        let stripe = Stripe::new(&config).unwrap();
        let payments = Arc::new(service(&world, Some(stripe.clone())));
        Self {
            world,
            fake,
            payments,
            stripe,
        }
    }

    pub fn catalogue(&self) -> Catalogue {
        let clock: Arc<dyn Clock> = self.world.clock.clone();
        Catalogue::new(self.world.db.clone(), clock, self.stripe.clone())
    }

    /// Both clocks.
    pub fn advance(&self, by: TimeDelta) {
        self.world.clock.advance(by);
        self.fake.advance(by.to_std().unwrap());
    }

    pub async fn checkout(&self, ctx: &Ctx, plan: &str) -> Checkout {
        self.payments.checkout(ctx, plan, urls()).await.unwrap()
    }

    /// Somebody who has paid for a plan.
    pub async fn subscriber(&self, plan: &str) -> Ctx {
        let ctx = person(self.world.registered().await);
        let checkout = self.checkout(&ctx, plan).await;
        self.fake
            .complete_checkout(&checkout.session, Card::Visa)
            .unwrap();
        self.payments
            .sync_checkout(&ctx, &checkout.session)
            .await
            .unwrap();
        assert_eq!(self.plan(&ctx).await, plan);
        ctx
    }

    pub async fn plan(&self, ctx: &Ctx) -> String {
        self.world
            .billing
            .subscription(ctx)
            .await
            .unwrap()
            .plan
            .name
    }

    pub async fn balance(&self, ctx: &Ctx) -> Credits {
        self.world.billing.credits(ctx).await.unwrap().balance
    }

    pub async fn count(&self, query: &str) -> i64 {
        self.world
            .superuser
            .query_one(query, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// How many sessions, customers ... Stripe has made.
    pub fn made(&self, kind: &str) -> usize {
        self.fake.objects(kind).len()
    }
}

pub fn service(world: &World, stripe: Option<Stripe>) -> PaymentsService {
    let clock: Arc<dyn Clock> = world.clock.clone();
    let convergence = stripe.clone().map(|stripe| {
        Convergence::new(ConvergenceParts {
            db: world.db.clone(),
            stripe,
            quota: world.neighbours.clone(),
            activity: world.neighbours.clone(),
            outbox: Arc::new(NoMail),
            clock: clock.clone(),
            grace: TimeDelta::days(7),
        })
    });
    PaymentsService::new(PaymentsParts {
        db: world.db.clone(),
        clock,
        stripe,
        convergence,
        activity: world.neighbours.clone(),
        redirects: RedirectOrigins::new("https://app.example.com", &[], false).unwrap(),
    })
}
