use super::till::Till;
use eyemotion_billing::{Billing, EndCustomer, WindDown};
use eyemotion_core::{Clock, Ctx, UserId};
use eyemotion_jobs::Workers;
use eyemotion_ports::{AccountLifecycle, Leaver};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn who_leaves_is_charged_no_more() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    let user = ctx.user_id().unwrap();
    let clock: Arc<dyn Clock> = till.world.clock.clone();
    let workers = Workers::builder(till.world.db.clone(), clock)
        .register::<EndCustomer>(till.payments.clone())
        .register::<WindDown>(till.payments.clone())
        .poll(Duration::from_millis(50))
        .start()
        .unwrap();
    // Asking for the deletion ends the subscription with its period.
    let system = Ctx::system("test");
    let mut tx = till.world.db.begin(&system).await.unwrap();
    let domain = &till.world.subscriptions;
    domain.leaving(&mut tx, &system, user).await.unwrap();
    tx.commit().await.unwrap();
    until("cancelled", async || {
        let found = till.world.billing.subscription(&ctx).await.unwrap();
        found.cancel_at_period_end
    })
    .await;
    // The deletion itself has Stripe forget the person.
    let leaver = Leaver {
        id: user,
        email: String::new(),
        pseudonym: UserId(Uuid::now_v7()),
    };
    let mut tx = till.world.db.begin(&system).await.unwrap();
    domain.erase(&mut tx, &system, &leaver).await.unwrap();
    tx.commit().await.unwrap();
    until("deleted at Stripe's", async || {
        till.count("select count(*) from stripe_customers where deleted_at is not null")
            .await
            == 1
    })
    .await;
    let subscription = till.fake.objects("subscription").remove(0);
    assert_eq!(subscription["status"], "canceled");
    workers.drain(Duration::from_secs(5)).await;
}
