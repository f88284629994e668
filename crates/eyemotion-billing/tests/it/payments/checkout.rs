use super::till::{Till, code, person, service, urls};
use chrono::TimeDelta;
use eyemotion_billing::{OrderStatus, Payments, ReturnUrls};
use eyemotion_core::{Coded, Credits, Ctx, ErrorCode, IdempotencyKey, PageRequest};
use eyemotion_stripe_fake::{Card, Fault, FaultKind};
use futures_util::future::join_all;
use std::time::Duration;

const PAGE: PageRequest = PageRequest {
    limit: 20,
    after: None,
};

#[tokio::test]
async fn a_plan_is_paid_for_and_shows_in_history() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    assert_eq!(till.balance(&ctx).await, Credits(1000));
    let history = till.payments.history(&ctx, PAGE).await.unwrap().items;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].amount.amount, 29_900);
    assert_eq!(history[0].plan.as_deref(), Some("creator"));
    assert!(history[0].invoice_url.is_some() && history[0].invoice_pdf.is_some());
    let again = till.payments.checkout(&ctx, "pro", urls()).await;
    assert_eq!(code(again), ErrorCode::SubscriptionExists);
    let stranger = person(till.world.registered().await);
    let theirs = till.payments.history(&stranger, PAGE).await.unwrap();
    assert!(theirs.items.is_empty());
}

#[tokio::test]
async fn credits_are_bought() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let before = till.balance(&ctx).await;
    let checkout = till.payments.buy_credits(&ctx, Credits(500), urls());
    let checkout = checkout.await.unwrap();
    let session = &checkout.session;
    let status = till.payments.sync_checkout(&ctx, session).await.unwrap();
    assert_eq!(status, OrderStatus::Open);
    assert_eq!(till.balance(&ctx).await, before);
    till.fake.complete_checkout(session, Card::Visa).unwrap();
    for _ in 0..3 {
        let status = till.payments.sync_checkout(&ctx, session).await.unwrap();
        assert_eq!(status, OrderStatus::Paid);
    }
    assert_eq!(till.balance(&ctx).await, Credits(before.0 + 500));
    let stranger = person(till.world.registered().await);
    let theirs = till.payments.sync_checkout(&stranger, session).await;
    assert_eq!(code(theirs), ErrorCode::CheckoutNotFound);
}

#[tokio::test]
async fn bad_wishes_change_nothing() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    for plan in ["", "gold", "freemium", "creator'--"] {
        let refused = till.payments.checkout(&ctx, plan, urls()).await;
        assert_eq!(code(refused), ErrorCode::ValidationFailed, "{plan}");
    }
    for credits in [i64::MIN, -1, 0, 19, 1_000_001, i64::MAX] {
        let refused = till.payments.buy_credits(&ctx, Credits(credits), urls());
        let refused = refused.await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed);
        let fields = refused.field_errors();
        assert!(
            fields[0].detail.contains("from 20 (10.00 THB"),
            "{fields:?}"
        );
    }
    let foreign = ReturnUrls {
        success: Some("https://app.example.com.evil.com/".to_owned()),
        cancel: None,
    };
    let refused = till.payments.checkout(&ctx, "creator", foreign).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.field_errors()[0].pointer, "/successUrl");
    let refused = till.payments.portal(&ctx, Some("//evil.com".to_owned()));
    assert_eq!(code(refused.await), ErrorCode::ValidationFailed);
    assert_eq!(till.count("select count(*) from payment_orders").await, 0);
    assert!(till.fake.requests().is_empty());
}

#[tokio::test]
async fn clicks_at_once_open_one_page() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let clicks = join_all((0..8).map(|_| till.payments.checkout(&ctx, "creator", urls())));
    let pages: Vec<_> = clicks.await.into_iter().map(Result::unwrap).collect();
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    assert_eq!(till.made("checkout.session"), 1);
    assert_eq!(till.made("customer"), 1);
    assert_eq!(till.count("select count(*) from payment_orders").await, 1);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_found_again() {
    let till = Till::with_timeout(Duration::from_millis(700)).await;
    let ctx = person(till.world.registered().await);
    till.catalogue()
        .sync(&Ctx::system("test"), false)
        .await
        .unwrap();
    for kind in [FaultKind::TimeoutAfterCommit, FaultKind::ResetAfterCommit] {
        let paid = Fault::on_post("/v1/checkout/sessions", kind.clone());
        till.fake.fault(paid);
        let credits = Credits(if kind == FaultKind::TimeoutAfterCommit {
            100
        } else {
            200
        });
        let before = till.made("checkout.session");
        let mut answer = till.payments.buy_credits(&ctx, credits, urls()).await;
        if kind == FaultKind::TimeoutAfterCommit {
            let error = answer.unwrap_err();
            assert_eq!(error.code(), ErrorCode::PaymentsUnavailable);
            assert!(error.retry_after().is_some());
            answer = till.payments.buy_credits(&ctx, credits, urls()).await;
        }
        let page = answer.unwrap();
        assert_eq!(till.made("checkout.session"), before + 1);
        assert!(till.fake.object(&page.session).is_some());
    }
}

#[tokio::test]
async fn a_clients_key_brings_the_same_order_back() {
    let till = Till::open().await;
    let mut ctx = person(till.world.registered().await);
    let key = |byte| IdempotencyKey {
        key: "click".to_owned(),
        request_hash: [byte; 32],
    };
    ctx.idempotency = Some(key(1));
    let first = till.payments.buy_credits(&ctx, Credits(100), urls()).await;
    let first = first.unwrap();
    till.fake
        .complete_checkout(&first.session, Card::Visa)
        .unwrap();
    till.payments
        .sync_checkout(&ctx, &first.session)
        .await
        .unwrap();
    let again = till.payments.buy_credits(&ctx, Credits(100), urls()).await;
    assert_eq!(again.unwrap(), first);
    ctx.idempotency = Some(key(2));
    let other = till.payments.buy_credits(&ctx, Credits(300), urls()).await;
    assert_eq!(code(other), ErrorCode::IdempotencyKeyReused);
    ctx.idempotency = None;
    let anew = till.payments.buy_credits(&ctx, Credits(100), urls()).await;
    assert_ne!(anew.unwrap().session, first.session);
}

#[tokio::test]
async fn another_plan_closes_the_page_before() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let first = till.checkout(&ctx, "creator").await;
    let second = till.checkout(&ctx, "pro").await;
    assert_ne!(first.session, second.session);
    assert_eq!(
        till.fake.object(&first.session).unwrap()["status"],
        "expired"
    );
    // One that was paid in the meantime is a subscription.
    till.fake
        .complete_checkout(&second.session, Card::Visa)
        .unwrap();
    let third = till.payments.checkout(&ctx, "studio", urls()).await;
    assert_eq!(code(third), ErrorCode::SubscriptionExists);
    assert_eq!(till.plan(&ctx).await, "pro");
}

#[tokio::test]
async fn a_page_that_closes_soon_is_not_shown_again() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let first = till.checkout(&ctx, "creator").await;
    till.advance(TimeDelta::hours(22));
    assert_eq!(till.checkout(&ctx, "creator").await, first);
    till.advance(TimeDelta::hours(2));
    assert_ne!(till.checkout(&ctx, "creator").await, first);
}

#[tokio::test]
async fn an_amount_that_is_not_the_orders_grants_nothing() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let before = till.balance(&ctx).await;
    let checkout = till.payments.buy_credits(&ctx, Credits(100), urls());
    let checkout = checkout.await.unwrap();
    let tampered = "update payment_orders set amount = 500000, credits = 10000";
    till.world.superuser.batch_execute(tampered).await.unwrap();
    till.fake
        .complete_checkout(&checkout.session, Card::Visa)
        .unwrap();
    let refused = till.payments.sync_checkout(&ctx, &checkout.session).await;
    assert_eq!(code(refused), ErrorCode::PaymentRefused);
    assert_eq!(till.balance(&ctx).await, before);
}

#[tokio::test]
async fn stripe_down_is_said_so_and_nothing_is_lost() {
    let till = Till::open().await;
    let ctx = till.subscriber("creator").await;
    till.fake.down(true);
    let refused = [
        code(till.payments.buy_credits(&ctx, Credits(100), urls()).await),
        code(till.payments.cancel(&ctx).await),
        code(till.payments.preview_change(&ctx, "pro").await),
        code(till.payments.portal(&ctx, None).await),
        code(till.payments.promotion_code(&ctx, "X").await),
    ];
    assert_eq!(refused, [ErrorCode::PaymentsUnavailable; 5]);
    till.payments.history(&ctx, PAGE).await.unwrap();
    till.fake.down(false);
    till.payments
        .buy_credits(&ctx, Credits(100), urls())
        .await
        .unwrap();
    till.payments.cancel(&ctx).await.unwrap();
}

#[tokio::test]
async fn without_a_key_the_free_plan_goes_on() {
    let till = Till::open().await;
    let ctx = person(till.world.registered().await);
    let payments = service(&till.world, None);
    let refused = [
        code(payments.checkout(&ctx, "creator", urls()).await),
        code(payments.buy_credits(&ctx, Credits(100), urls()).await),
        code(payments.sync_checkout(&ctx, "cs_test_1").await),
        code(payments.cancel(&ctx).await),
        code(payments.resume(&ctx).await),
        code(payments.preview_change(&ctx, "pro").await),
        code(payments.change_plan(&ctx, "pro", None).await),
        code(payments.portal(&ctx, None).await),
        code(payments.promotion_code(&ctx, "X").await),
    ];
    assert_eq!(refused, [ErrorCode::BillingNotConfigured; 9]);
    payments.history(&ctx, PAGE).await.unwrap();
    assert_eq!(till.plan(&ctx).await, "freemium");
}
