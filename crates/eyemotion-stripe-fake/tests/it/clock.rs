//! What time brings about.

use crate::stage::{DAY, MARCH_10, Stage};
use eyemotion_stripe_fake::{AfterRetries, Card, Settings};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: u64 = 3_600;

fn days(days: u64) -> Duration {
    Duration::from_secs(days * DAY)
}

#[tokio::test]
async fn a_renewal_is_drafted_and_paid_an_hour_later() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let (_, subscription) = stage.subscriber(&price).await;
    stage.news();
    stage.fake.advance(days(31));
    assert_eq!(
        stage.news(),
        ["invoice.created", "customer.subscription.updated"]
    );
    let [draft, _] = stage.invoices(&subscription).await.try_into().unwrap();
    assert_eq!(
        (&draft["status"], &draft["billing_reason"]),
        (&json!("draft"), &json!("subscription_cycle"))
    );
    stage.fake.advance(Duration::from_secs(HOUR));
    assert_eq!(
        stage.news(),
        [
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
            "invoice_payment.paid",
            "invoice.paid",
            "invoice.payment_succeeded",
        ]
    );
    let [paid, _] = stage.invoices(&subscription).await.try_into().unwrap();
    assert_eq!(
        (&paid["status"], &paid["amount_paid"]),
        (&json!("paid"), &json!(29_900))
    );
}

#[tokio::test]
async fn periods_keep_their_day_of_the_month() {
    let stage = Stage::new();
    // 2027-01-31T00:00:00Z
    stage.fake.advance_to(1_801_353_600);
    let price = stage.price(29_900, "month").await;
    let (_, subscription) = stage.subscriber(&price).await;
    let mut ends = Vec::new();
    for _ in 0..3 {
        let end = stage.object(&subscription)["items"]["data"][0]["current_period_end"]
            .as_i64()
            .unwrap();
        ends.push(end);
        stage.fake.advance_to(end + 7_200);
    }
    // 28 February, 31 March, 30 April.
    assert_eq!(ends, [1_803_772_800, 1_806_451_200, 1_809_043_200]);
}

#[tokio::test]
async fn a_failed_renewal_is_tried_again_until_the_end() {
    for (after, end) in [
        (AfterRetries::Cancel, "canceled"),
        (AfterRetries::Unpaid, "unpaid"),
        (AfterRetries::PastDue, "past_due"),
    ] {
        let stage = Stage::new();
        stage.fake.configure(Settings {
            after_retries: after,
            ..Settings::default()
        });
        let price = stage.price(29_900, "month").await;
        let (customer, subscription) = stage.subscriber(&price).await;
        stage.fake.set_card(&customer, Card::Declined);
        stage.fake.advance(days(31) + Duration::from_secs(2 * HOUR));
        assert_eq!(stage.object(&subscription)["status"], "past_due");
        stage.news();
        stage.fake.advance(days(16));
        let failures = stage
            .news()
            .iter()
            .filter(|kind| *kind == "invoice.payment_failed")
            .count();
        assert_eq!(failures, 3);
        assert_eq!(stage.object(&subscription)["status"], end);
    }
}

#[tokio::test]
async fn a_good_card_heals_a_debt() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let (customer, subscription) = stage.subscriber(&price).await;
    stage.fake.set_card(&customer, Card::Declined);
    stage.fake.advance(days(32));
    stage.fake.set_card(&customer, Card::Visa);
    stage.fake.advance(days(4));
    assert_eq!(stage.object(&subscription)["status"], "active");
    let [paid, _] = stage.invoices(&subscription).await.try_into().unwrap();
    assert_eq!(
        (&paid["status"], &paid["attempt_count"]),
        (&json!("paid"), &json!(2))
    );
}

#[tokio::test]
async fn what_was_not_completed_ends() {
    let stage = Stage::new();
    let session = stage.credits_session(5_000).await;
    let price = stage.price(29_900, "month").await;
    let customer = stage.customer().await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let subscription = stage.post("subscriptions", &form).await;
    assert_eq!(subscription["status"], "incomplete");
    stage.fake.advance(days(2));
    assert_eq!(stage.object(&session)["status"], "expired");
    let subscription = stage.object(subscription["id"].as_str().unwrap());
    assert_eq!(subscription["status"], "incomplete_expired");
    assert_eq!(
        stage.object(subscription["latest_invoice"].as_str().unwrap())["status"],
        "void"
    );
}

#[tokio::test]
async fn a_trial_is_told_to_end_and_then_paid_for() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let form = [
        ("mode", "subscription"),
        ("success_url", "https://eyemotion.test/done"),
        ("line_items[0][price]", price.as_str()),
        ("subscription_data[trial_period_days]", "7"),
    ];
    let session = stage.post("checkout/sessions", &form).await;
    let session = session["id"].as_str().unwrap();
    let done = stage.fake.complete_checkout(session, Card::Visa).unwrap();
    assert_eq!(done["payment_status"], "no_payment_required");
    let subscription = done["subscription"].as_str().unwrap();
    assert_eq!(stage.object(subscription)["status"], "trialing");
    stage.news();
    stage.fake.advance(days(5));
    assert_eq!(stage.news(), ["customer.subscription.trial_will_end"]);
    stage.fake.advance(days(3));
    assert_eq!(stage.object(subscription)["status"], "active");
    let amounts: Vec<Value> = stage
        .invoices(subscription)
        .await
        .iter()
        .map(|it| it["amount_paid"].clone())
        .collect();
    assert_eq!(amounts, [json!(29_900), json!(0)]);
}

#[tokio::test]
async fn an_end_at_the_period_s_end_may_be_taken_back() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let (_, subscription) = stage.subscriber(&price).await;
    let path = format!("subscriptions/{subscription}");
    for (asked, cancel_at) in [
        ("true", json!(MARCH_10 + 31 * 86_400)),
        ("false", json!(null)),
        ("true", json!(MARCH_10 + 31 * 86_400)),
    ] {
        let told = stage.post(&path, &[("cancel_at_period_end", asked)]).await;
        assert_eq!(told["cancel_at"], cancel_at);
    }
    stage.news();
    stage.fake.advance(days(31));
    assert_eq!(stage.news(), ["customer.subscription.deleted"]);
    assert_eq!(
        stage.object(&subscription)["ended_at"],
        MARCH_10 + 31 * 86_400
    );
}
