//! Stripe does not answer for ten minutes.

use super::shop::Shop;
use crate::world::charge;
use chrono::TimeDelta;
use eyemotion_billing::EventFilter;
use eyemotion_ports::{HealthStatus, Probe};
use eyemotion_stripe_fake::Policy;
use std::time::Duration;

#[tokio::test]
async fn spending_goes_on_events_wait_and_everything_converges() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.buy(&buyer, 200).await;
    shop.deliver().await;
    assert_eq!(shop.probe().check().await.status, HealthStatus::Healthy);

    shop.subscribe(&buyer, "pro").await;
    let deliveries = shop.fake.deliveries(&Policy::default()).sent;
    shop.fake.down(true);
    for delivery in &deliveries {
        shop.receive(delivery).await.unwrap();
    }
    // Ten minutes; what is due is tried in vain.
    for minute in 0..10 {
        shop.world.clock.advance(TimeDelta::minutes(1));
        shop.world
            .spend(charge(buyer.user, 10, minute))
            .await
            .unwrap();
        shop.until_tried().await;
    }
    assert_eq!(shop.world.balance(buyer.user).await, 300 - 100);
    let waiting = shop.events(EventFilter::default()).await;
    let waiting = waiting
        .iter()
        .filter(|event| event.status == "pending")
        .count();
    assert!(waiting > 0);
    let health = shop.probe().check().await;
    assert_eq!(health.status, HealthStatus::Warning, "{}", health.message);
    assert!(
        health.message.contains("does Stripe answer"),
        "{}",
        health.message
    );

    shop.fake.down(false);
    shop.settle().await;
    assert_eq!(shop.probe().check().await.status, HealthStatus::Healthy);
    assert_eq!(shop.plan(&buyer).await.0, "pro");
    // The free plan's credits, spent or not, have ended with it.
    assert_eq!(shop.world.balance(buyer.user).await, 5000 + 200);
    shop.world.assert_sound().await;
    shop.close().await;
}

impl Shop {
    /// Waits until nothing that is due is left.
    async fn until_tried(&self) {
        let now = eyemotion_core::Clock::now(&*self.world.clock);
        let due = "select count(*) from jobs.jobs where state = 'running' or (state = 'queued' and run_at <= $1)";
        loop {
            let row = self.world.superuser.query_one(due, &[&now]).await.unwrap();
            if row.get::<_, i64>(0) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
