//! Fifty people's lives with us, told well and told badly: the rows are the same.

use super::shop::{Buyer, Shop};
use chrono::TimeDelta;
use eyemotion_billing::{EventFilter, ReconcileScope};
use eyemotion_stripe_fake::{Card, Policy};
use serde_json::Value;
use std::sync::{Arc, Mutex};

const PEOPLE: usize = 50;
const SENDERS: usize = 8;

/// One life, month by month: what somebody does, by the number of the life.
async fn live(
    shop: &Shop,
    buyer: &Buyer,
    life: usize,
    month: usize,
    subscription: &mut Option<String>,
) {
    match (life % 10, month) {
        (0..=6, 0) => {
            let plan = ["creator", "pro", "studio"][life % 3];
            *subscription = Some(shop.subscribe(buyer, plan).await);
        }
        // Never the same pack twice: an unpaid order for it would stand in the way.
        (1, 1) | (2, 2) | (7, 0 | 2) => {
            let credits = 100 + 10 * life + month;
            shop.buy(buyer, i64::try_from(credits).unwrap()).await;
        }
        (2, 1) => {
            let id = subscription.take().unwrap();
            shop.delete(&format!("/subscriptions/{id}")).await;
        }
        (3, 1) => shop.fake.set_card(&buyer.customer, Card::Declined),
        (4, 1) => shop.switch(subscription.as_ref().unwrap(), "studio").await,
        (5, 1) => {
            let id = subscription.as_ref().unwrap();
            let form = [("cancel_at_period_end", "true")];
            shop.stripe(&format!("/subscriptions/{id}"), &form).await;
        }
        (6, 1) => {
            let charges = shop.fake.objects("charge");
            let own = charges
                .iter()
                .find(|charge| charge["customer"] == buyer.customer.as_str());
            let id = own.unwrap()["id"].as_str().unwrap();
            shop.fake.refund(id, Some(10_000)).unwrap();
        }
        (7, 1) => {
            let charges = shop.fake.objects("charge");
            let own = charges
                .iter()
                .find(|charge| charge["customer"] == buyer.customer.as_str());
            let id = own.unwrap()["id"].as_str().unwrap();
            let dispute = shop.fake.dispute(id, None).unwrap();
            if life % 20 == 7 {
                shop.fake
                    .close_dispute(dispute["id"].as_str().unwrap(), true)
                    .unwrap();
            }
        }
        (8, 0) => {
            let (_, session) = shop.choose_pack(buyer, 300).await;
            shop.fake
                .complete_checkout(&session, Card::PromptPayLater)
                .unwrap();
            shop.fake
                .settle_async_payment(&session, life % 20 == 8)
                .unwrap();
        }
        (9, 0) => {
            let (_, session) = shop.choose_pack(buyer, 300).await;
            // Declined: the page stays open, and is paid later or never.
            shop.fake.complete_checkout(&session, Card::Declined).ok();
            if life % 20 == 9 {
                shop.fake.complete_checkout(&session, Card::Visa).unwrap();
            }
        }
        _ => {}
    }
}

/// Three months of all lives, each month's events delivered by this policy.
async fn run(shop: &Shop, policy: &Policy, senders: usize) {
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push((shop.buyer().await, None));
    }
    for month in 0..3 {
        for (life, (buyer, subscription)) in people.iter_mut().enumerate() {
            live(shop, buyer, life, month, subscription).await;
        }
        let policy = Policy {
            seed: policy.seed + month as u64,
            ..policy.clone()
        };
        shop.deliver_by(&policy, senders).await;
        shop.advance(TimeDelta::days(12));
    }
    shop.advance(TimeDelta::days(5));
    shop.deliver_by(policy, senders).await;
}

impl Shop {
    async fn deliver_by(&self, policy: &Policy, senders: usize) {
        self.fake
            .advance_to(eyemotion_core::Clock::now(&*self.world.clock).timestamp());
        let deliveries = self.fake.deliveries(policy).sent;
        let queue = Arc::new(Mutex::new(deliveries.into_iter()));
        let send = || async {
            loop {
                let next = queue.lock().unwrap().next();
                let Some(delivery) = next else { return };
                self.receive(&delivery).await.unwrap();
            }
        };
        futures_util::future::join_all((0..senders).map(|_| send())).await;
        self.settle().await;
    }

    /// What was told, by the order in which people came; ids and times of ours left out, and the
    /// free plan's periods, which its own clock keeps and nobody winds here.
    async fn state(&self) -> Vec<(&'static str, Vec<Value>)> {
        let person = "(select count(*) from auth.users u where u.id < it.user_id)";
        let mut state = Vec::new();
        for (name, columns, more) in [
            (
                "subscriptions",
                "'plan', (select name from subscription_plans p where p.id = it.plan_id), 'status', status,
                 'paid', stripe_subscription_id is not null, 'start', case when stripe_subscription_id is not null then current_period_start end,
                 'end', case when stripe_subscription_id is not null then current_period_end end, 'cancels', cancel_at_period_end, 'owed', past_due_since,
                 'amount', recurring_amount",
                "from subscriptions it",
            ),
            (
                "payments",
                "'amount', amount, 'status', status, 'type', transaction_type, 'refunded', refunded_amount,
                 'disputed', disputed_amount, 'paid', processed_at is not null, 'grant', metadata #>> '{grant,sourceType}'",
                "from payment_transactions it",
            ),
            ("orders", "'status', status, 'amount', amount", "from payment_orders it"),
            ("disputes", "'status', status, 'amount', amount", "from payment_disputes it"),
            (
                "lots",
                "'granted', granted, 'kind', kind, 'type', source_type, 'left', case when status = 'open' then remaining end,
                 'expires', case when source_type = 'subscription_period' then right(source_id, 27) end",
                // How often the free plan came and went in between is nobody's loss.
                "from credit_lots it where source_type <> 'subscription_period'
                 or split_part(source_id, ':', 1)::uuid in (select id from subscriptions where stripe_subscription_id is not null)",
            ),
        ] {
            let sql = format!("select jsonb_build_object('who', {person}, {columns})::text {more} order by 1");
            state.push((name, self.rows(&sql).await));
        }
        state
    }
}

/// Each payment that stands for credits brought them, and nothing else did.
async fn assert_paid_for(shop: &Shop) {
    let unpaid = "select count(*) from credit_lots l where kind = 'purchased' and source_type = 'payment_order'
        and not exists (select from payment_transactions p where p.order_id::text = l.source_id
            and p.status in ('completed', 'refunded'))";
    assert_eq!(shop.world.count(unpaid).await, 0, "granted and not paid");
    let ungranted =
        "select count(*) from payment_transactions p where status in ('completed', 'refunded')
        and metadata #>> '{grant,sourceId}' is not null and not exists (
            select from credit_lots l where l.source_type = p.metadata #>> '{grant,sourceType}'
                and l.source_id = p.metadata #>> '{grant,sourceId}')";
    assert_eq!(shop.world.count(ungranted).await, 0, "paid and not granted");
    shop.world.assert_sound().await;
}

#[tokio::test]
async fn order_number_and_loss_of_events_make_no_difference() {
    let well = Shop::open().await;
    run(&well, &Policy::default(), 1).await;
    assert_paid_for(&well).await;
    let expected = well.state().await;
    well.close().await;
    let badly = Shop::open().await;
    let policy = Policy {
        seed: 20_261_123,
        drop_percent: 10,
        copies: 1..=5,
        shuffle: true,
        ..Policy::default()
    };
    run(&badly, &policy, SENDERS).await;
    let report = badly.reconcile(ReconcileScope::Full).await;
    assert!(report.missed_events > 0);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    let dead = EventFilter {
        dead: true,
        ..EventFilter::default()
    };
    let dead = badly.events(dead).await;
    assert!(dead.is_empty(), "{dead:?}");
    assert_paid_for(&badly).await;
    for ((name, expected), (_, found)) in expected.iter().zip(&badly.state().await) {
        for row in expected {
            assert!(found.contains(row), "{name}: {row} is missing");
        }
        assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
    }
    assert!(!badly.reconcile(ReconcileScope::Full).await.has_drift());
    badly.close().await;
}
