//! What went wrong elsewhere, and does not here.

use super::shop::{Buyer, Shop};
use chrono::TimeDelta;
use eyemotion_billing::{EventFilter, ReconcileScope, Webhooks};
use eyemotion_core::Ctx;
use eyemotion_stripe_fake::{Card, Policy};

async fn balance(shop: &Shop, buyer: &Buyer) -> i64 {
    shop.world.balance(buyer.user).await
}

#[tokio::test]
async fn a_subscription_is_paid_renewed_and_ends() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    assert_eq!(balance(&shop, &buyer).await, 100);
    let subscription = shop.subscribe(&buyer, "pro").await;
    shop.deliver().await;
    assert_eq!(shop.plan(&buyer).await, ("pro".into(), "active".into()));
    // What came with the free plan has ended with it.
    assert_eq!(balance(&shop, &buyer).await, 5000);
    let limits = shop.world.neighbours.limits.lock().unwrap().clone();
    assert_eq!(limits.last().unwrap(), &(buyer.user, 50 << 30));
    let mails = shop
        .mailbox
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|mail| mail.template)
        .collect::<Vec<_>>();
    assert_eq!(mails, ["payment_received"]);

    shop.advance(TimeDelta::days(31));
    shop.deliver().await;
    assert_eq!(balance(&shop, &buyer).await, 5000, "reset, not added up");
    assert_eq!(
        shop.granted(&buyer, "subscription_period").await,
        100 + 2 * 5000
    );

    let (_, _) = shop.buy(&buyer, 200).await;
    shop.deliver().await;
    assert_eq!(balance(&shop, &buyer).await, 5200);
    shop.delete(&format!("/subscriptions/{subscription}")).await;
    shop.deliver().await;
    assert_eq!(
        shop.plan(&buyer).await,
        ("freemium".into(), "active".into())
    );
    // What was bought stays, the free plan's new period comes.
    assert_eq!(balance(&shop, &buyer).await, 300);
    shop.world.assert_sound().await;
    shop.close().await;
}

/// cashier 1201, 1759, 1760: created after updated left a subscription incomplete for ever.
#[tokio::test]
async fn created_after_updated_is_no_older_state() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.subscribe(&buyer, "creator").await;
    let mut deliveries = shop.fake.deliveries(&Policy::default()).sent;
    deliveries.reverse();
    for delivery in &deliveries {
        shop.receive(delivery).await.unwrap();
        shop.settle().await;
    }
    assert_eq!(shop.plan(&buyer).await, ("creator".into(), "active".into()));
    assert_eq!(balance(&shop, &buyer).await, 1000);
    shop.close().await;
}

/// Two different events tell of one payment, and each comes three times.
#[tokio::test]
async fn one_payment_grants_once_whoever_tells_of_it() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.buy(&buyer, 500).await;
    shop.subscribe(&buyer, "pro").await;
    let policy = Policy {
        copies: 3..=3,
        shuffle: true,
        ..Policy::default()
    };
    for delivery in shop.fake.deliveries(&policy).sent {
        shop.receive(&delivery).await.unwrap();
    }
    shop.settle().await;
    assert_eq!(balance(&shop, &buyer).await, 5500);
    // Again by hand: the same.
    let all = EventFilter::default();
    assert!(
        shop.webhooks
            .replay(&Ctx::system("test"), &all)
            .await
            .unwrap()
            > 5
    );
    shop.settle().await;
    assert_eq!(balance(&shop, &buyer).await, 5500);
    assert_eq!(
        shop.world
            .count("select count(*) from payment_transactions")
            .await,
        2
    );
    shop.world.assert_sound().await;
    shop.close().await;
}

#[tokio::test]
async fn a_transfer_that_comes_later_grants_when_it_comes() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    for (ok, expected) in [(true, 300), (false, 300)] {
        let (_, session) = shop.choose_pack(&buyer, 200).await;
        shop.fake
            .complete_checkout(&session, Card::PromptPayLater)
            .unwrap();
        shop.deliver().await;
        let waiting = "select count(*) from payment_orders where status = 'processing'";
        assert_eq!(shop.world.count(waiting).await, 1);
        shop.fake.settle_async_payment(&session, ok).unwrap();
        shop.deliver().await;
        assert_eq!(balance(&shop, &buyer).await, expected, "{ok}");
    }
    let failed = "select count(*) from payment_orders where status = 'failed'";
    assert_eq!(shop.world.count(failed).await, 1);
    shop.close().await;
}

/// The order says what is given, and for how much.
#[tokio::test]
async fn another_amount_than_the_orders_grants_nothing() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let (order, _) = shop.buy(&buyer, 200).await;
    let tamper = "update payment_orders set amount = amount + 1 where id = $1";
    shop.world
        .superuser
        .execute(tamper, &[&order])
        .await
        .unwrap();
    shop.deliver().await;
    assert_eq!(balance(&shop, &buyer).await, 100);
    let dead = EventFilter {
        dead: true,
        ..EventFilter::default()
    };
    let dead = shop.events(dead).await;
    assert!(!dead.is_empty());
    assert!(
        dead[0]
            .last_error
            .as_ref()
            .unwrap()
            .contains("the order is of 10001 THB")
    );
    assert_eq!(
        shop.world
            .count("select count(*) from payment_transactions")
            .await,
        0
    );
    shop.close().await;
}

#[tokio::test]
async fn a_deleted_customer_is_on_the_free_plan() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.subscribe(&buyer, "pro").await;
    shop.deliver().await;
    let cards = "select count(*) from stripe_customers where card ->> 'last4' is not null";
    assert_eq!(shop.world.count(cards).await, 1);
    shop.delete(&format!("/customers/{}", buyer.customer)).await;
    // The subscription's own event is lost.
    for delivery in shop.fake.deliveries(&Policy::default()).sent {
        if delivery.kind == "customer.deleted" {
            shop.receive(&delivery).await.unwrap();
        }
    }
    shop.settle().await;
    assert_eq!(shop.plan(&buyer).await.0, "freemium");
    let gone =
        "select count(*) from stripe_customers where deleted_at is not null and card is null";
    assert_eq!(shop.world.count(gone).await, 1);
    shop.close().await;
}

#[tokio::test]
async fn a_payment_owed_for_a_week_ends_the_plan() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let subscription = shop.subscribe(&buyer, "pro").await;
    shop.deliver().await;
    shop.fake.set_card(&buyer.customer, Card::Declined);
    shop.advance(TimeDelta::days(31));
    shop.deliver().await;
    assert_eq!(shop.plan(&buyer).await, ("pro".into(), "past_due".into()));
    let templates = || {
        let mails = shop.mailbox.0.lock().unwrap();
        mails.iter().map(|mail| mail.template).collect::<Vec<_>>()
    };
    assert_eq!(templates().last(), Some(&"payment_failed"));
    // Within the grace it goes on; then an hourly job looks, whether an event comes or not.
    shop.advance(TimeDelta::days(8));
    shop.fake.events_since();
    shop.end_grace().await;
    assert_eq!(shop.plan(&buyer).await.0, "freemium");
    let theirs = shop.fake.object(&subscription).unwrap();
    assert_eq!(
        theirs["status"], "canceled",
        "Stripe was told to stop trying"
    );
    shop.deliver().await;
    assert_eq!(shop.plan(&buyer).await.0, "freemium");
    shop.world.assert_sound().await;
    shop.close().await;
}

#[tokio::test]
async fn whoever_pays_within_the_grace_keeps_the_plan() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.subscribe(&buyer, "pro").await;
    shop.deliver().await;
    shop.fake.set_card(&buyer.customer, Card::Declined);
    shop.advance(TimeDelta::days(31));
    shop.deliver().await;
    shop.fake.set_card(&buyer.customer, Card::Visa);
    shop.advance(TimeDelta::days(4));
    shop.deliver().await;
    assert_eq!(shop.plan(&buyer).await, ("pro".into(), "active".into()));
    assert_eq!(balance(&shop, &buyer).await, 5000);
    let owed = "select count(*) from subscriptions where past_due_since is not null";
    assert_eq!(shop.world.count(owed).await, 0);
    shop.close().await;
}

/// Plans are changed to and fro in the middle of a period: never more than the largest one's.
#[tokio::test]
async fn plan_cycling_within_a_period_mints_nothing() {
    // At most 24 days: within November.
    for seed in 0..3_usize {
        let shop = Shop::open().await;
        let buyer = shop.buyer().await;
        let subscription = shop.subscribe(&buyer, "creator").await;
        shop.deliver().await;
        let plans = ["pro", "creator", "studio", "creator", "pro", "studio"];
        for step in 0..plans.len() {
            shop.advance(TimeDelta::days(2 + i64::try_from(seed).unwrap()));
            shop.switch(&subscription, plans[(step + seed) % plans.len()])
                .await;
            shop.deliver().await;
            let granted = shop.granted(&buyer, "subscription_period").await - 100
                + shop.granted(&buyer, "subscription_upgrade").await;
            assert!(granted <= 20_000, "seed {seed}, step {step}: {granted}");
        }
        shop.world.assert_sound().await;
        shop.close().await;
    }
}

#[tokio::test]
async fn an_upgrade_brings_the_share_that_is_left() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let subscription = shop.subscribe(&buyer, "creator").await;
    shop.deliver().await;
    shop.advance(TimeDelta::days(15));
    shop.switch(&subscription, "pro").await;
    shop.deliver().await;
    assert_eq!(shop.plan(&buyer).await.0, "pro");
    // 15 of November's 30 days are left of 5000 - 1000.
    assert_eq!(balance(&shop, &buyer).await, 1000 + 2000);
    shop.close().await;
}

#[tokio::test]
async fn a_trial_brings_its_credits_once_and_its_invoice_none() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let trial = [("subscription_data[trial_period_days]", "7")];
    let session = shop.choose_plan(&buyer, "creator", &trial).await;
    shop.fake.complete_checkout(&session, Card::Visa).unwrap();
    shop.deliver().await;
    assert_eq!(
        shop.plan(&buyer).await,
        ("creator".into(), "trialing".into())
    );
    assert_eq!(balance(&shop, &buyer).await, 1000);
    assert_eq!(shop.granted(&buyer, "subscription_trial").await, 1000);
    shop.advance(TimeDelta::days(5));
    shop.deliver().await;
    let told = |template: &str| {
        let mails = shop.mailbox.0.lock().unwrap();
        mails
            .iter()
            .filter(|mail| mail.template == template)
            .count()
    };
    assert_eq!(told("trial_ends"), 1);
    shop.advance(TimeDelta::days(3));
    shop.deliver().await;
    assert_eq!(shop.plan(&buyer).await, ("creator".into(), "active".into()));
    assert_eq!(balance(&shop, &buyer).await, 1000);
    shop.close().await;
}

/// Ten tries, then a dead letter that can be worked on again.
#[tokio::test]
async fn dead_letters_are_replayed() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    shop.buy(&buyer, 200).await;
    let deliveries = shop.fake.deliveries(&Policy::default()).sent;
    shop.fake.down(true);
    for delivery in &deliveries {
        shop.receive(delivery).await.unwrap();
    }
    shop.settle().await;
    let dead = EventFilter {
        dead: true,
        ..EventFilter::default()
    };
    let given_up = shop.events(dead.clone()).await;
    assert!(!given_up.is_empty() && given_up.iter().all(|event| event.attempts == 10));
    shop.fake.down(false);
    shop.webhooks
        .replay(&Ctx::system("test"), &dead)
        .await
        .unwrap();
    shop.settle().await;
    assert!(shop.events(dead).await.is_empty());
    assert_eq!(balance(&shop, &buyer).await, 300);
    shop.close().await;
}

#[tokio::test]
async fn what_nobody_told_is_found_and_reported() {
    let shop = Shop::open().await;
    let buyer = shop.buyer().await;
    let subscription = shop.subscribe(&buyer, "pro").await;
    shop.buy(&buyer, 200).await;
    shop.deliver().await;
    let report = shop.reconcile(ReconcileScope::Full).await;
    assert!(!report.has_drift(), "{report:?}");
    let harm =
        "update subscriptions set status = 'past_due' where stripe_subscription_id is not null";
    shop.world.superuser.execute(harm, &[]).await.unwrap();
    let report = shop.reconcile(ReconcileScope::Recent).await;
    let [difference] = &report.differences[..] else {
        panic!("{report:?}");
    };
    assert!(difference.row.starts_with("subscriptions/"));
    assert_eq!(difference.before.as_ref().unwrap()["status"], "past_due");
    assert_eq!(difference.after["status"], "active");
    // No event is taken, and Stripe has forgotten them: only the objects tell.
    shop.delete(&format!("/subscriptions/{subscription}")).await;
    shop.fake.events_since();
    shop.advance(TimeDelta::days(40));
    let report = shop.reconcile(ReconcileScope::Full).await;
    assert!(report.has_drift());
    assert_eq!(shop.plan(&buyer).await.0, "freemium");
    assert!(!shop.reconcile(ReconcileScope::Full).await.has_drift());
    shop.close().await;
}
