//! The page after paying and Stripe's own word, at once.

use super::till::{Till, person, service, urls};
use eyemotion_billing::Payments;
use eyemotion_core::Credits;
use eyemotion_stripe_fake::Card;
use futures_util::future::join;

#[tokio::test]
async fn two_who_follow_one_payment_at_once_grant_once() {
    const ROUNDS: i64 = 200;
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let before = till.balance(&ctx).await;
    // A webhook's job is another convergence, with limits of its own.
    let job = service(&till.world, Some(till.stripe.clone()));
    for round in 1..=ROUNDS {
        let checkout = till.payments.buy_credits(&ctx, Credits(20 + round), urls());
        let session = checkout.await.unwrap().session;
        till.fake.complete_checkout(&session, Card::Visa).unwrap();
        let page = till.payments.sync_checkout(&ctx, &session);
        let (page, job) = join(page, job.sync_checkout(&ctx, &session)).await;
        page.unwrap();
        job.unwrap();
    }
    let bought = ROUNDS * 20 + ROUNDS * (ROUNDS + 1) / 2;
    assert_eq!(till.balance(&ctx).await, Credits(before.0 + bought));
    let grants = "select count(*) from credit_lots where kind = 'purchased'";
    assert_eq!(till.count(grants).await, ROUNDS);
    let rows =
        "select count(*) from payment_transactions where transaction_type = 'credit_purchase'";
    assert_eq!(till.count(rows).await, ROUNDS);
}
