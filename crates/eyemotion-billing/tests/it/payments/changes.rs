use super::till::{Till, code};
use chrono::TimeDelta;
use eyemotion_billing::{Billing, PaymentError, Payments};
use eyemotion_core::{Clock, Credits, Ctx, ErrorCode};
use eyemotion_stripe_fake::Card;

async fn cancelling(till: &Till, ctx: &Ctx) -> bool {
    let subscription = till.world.billing.subscription(ctx).await.unwrap();
    subscription.cancel_at_period_end
}

#[tokio::test]
async fn a_cancellation_can_be_taken_back_until_the_end() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    for _ in 0..2 {
        till.payments.cancel(&ctx).await.unwrap();
        assert!(cancelling(&till, &ctx).await);
    }
    till.payments.resume(&ctx).await.unwrap();
    assert!(!cancelling(&till, &ctx).await);
    till.payments.cancel(&ctx).await.unwrap();
    till.advance(TimeDelta::days(31));
    let late = till.payments.resume(&ctx).await;
    assert_eq!(code(late), ErrorCode::SubscriptionEnded);
    assert_eq!(till.plan(&ctx).await, "freemium");
    assert_eq!(
        code(till.payments.resume(&ctx).await),
        ErrorCode::SubscriptionEnded
    );
    let none = till.payments.cancel(&ctx).await;
    assert_eq!(code(none), ErrorCode::SubscriptionNotFound);
}

#[tokio::test]
async fn an_upgrade_costs_what_the_preview_said() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    till.advance(TimeDelta::days(15) + TimeDelta::seconds(777));
    let preview = till.payments.preview_change(&ctx, "pro").await.unwrap();
    assert!(preview.now && preview.due.amount > 30_000, "{preview:?}");
    assert_eq!(till.plan(&ctx).await, "creator");
    till.advance(TimeDelta::minutes(5));
    let change = till
        .payments
        .change_plan(&ctx, "pro", preview.proration_date);
    assert_eq!(change.await.unwrap(), preview);
    assert_eq!(till.plan(&ctx).await, "pro");
    let last = "select amount from payment_transactions order by created_at desc, id desc limit 1";
    assert_eq!(till.count(last).await, preview.due.amount);
    // The difference of the credits for what is left of the period, rounded down.
    let left = 30 * 86_400 - 15 * 86_400 - 777;
    let more = 4000 * left / (30 * 86_400);
    assert_eq!(till.balance(&ctx).await, Credits(1000 + more));
    let same = till.payments.change_plan(&ctx, "pro", None).await;
    assert_eq!(code(same), ErrorCode::PlanUnchanged);
}

#[tokio::test]
async fn an_old_preview_makes_nothing_cheaper() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    let preview = till.payments.preview_change(&ctx, "pro").await.unwrap();
    till.advance(TimeDelta::days(1));
    for date in [
        preview.proration_date,
        Some(till.world.clock.now() + TimeDelta::hours(1)),
    ] {
        let refused = till.payments.change_plan(&ctx, "pro", date).await;
        assert_eq!(code(refused), ErrorCode::ValidationFailed);
    }
    assert_eq!(till.plan(&ctx).await, "creator");
}

#[tokio::test]
async fn a_downgrade_waits_for_the_periods_end() {
    let till = Till::open().await;
    let ctx = till.subscriber("pro").await;
    let preview = till.payments.preview_change(&ctx, "creator").await.unwrap();
    assert!(!preview.now && preview.due.amount == 0);
    let change = till
        .payments
        .change_plan(&ctx, "creator", None)
        .await
        .unwrap();
    assert_eq!(change, preview);
    let pending = "select count(*) from subscriptions where pending_plan_id is not null";
    assert_eq!(
        (till.plan(&ctx).await.as_str(), till.count(pending).await),
        ("pro", 1)
    );
    // The present plan takes it back, and it can be planned again.
    till.payments.change_plan(&ctx, "pro", None).await.unwrap();
    assert_eq!(till.count(pending).await, 0);
    till.payments
        .change_plan(&ctx, "creator", None)
        .await
        .unwrap();
    till.advance(TimeDelta::days(31));
    let subscription = till.fake.objects("subscription").remove(0);
    assert_eq!(
        subscription["items"]["data"][0]["price"]["unit_amount"],
        29_900
    );
}

#[tokio::test]
async fn a_payment_that_must_be_confirmed_changes_nothing_yet() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    let customer = till.fake.objects("customer").remove(0);
    till.fake
        .set_card(customer["id"].as_str().unwrap(), Card::Requires3ds);
    let change = till.payments.change_plan(&ctx, "pro", None).await;
    let Err(PaymentError::ConfirmationNeeded {
        client_secret,
        invoice_url,
    }) = change
    else {
        panic!("{change:?}");
    };
    assert!(client_secret.is_some() && invoice_url.is_some());
    assert_eq!(till.plan(&ctx).await, "creator");
    assert_eq!(till.balance(&ctx).await, Credits(1000));
}

#[tokio::test]
async fn who_pays_for_nothing_has_no_plan_to_change() {
    let till = Till::open().await;
    let ctx = super::till::person(till.world.registered().await);
    let refused = till.payments.change_plan(&ctx, "pro", None).await;
    assert_eq!(code(refused), ErrorCode::SubscriptionNotFound);
}
