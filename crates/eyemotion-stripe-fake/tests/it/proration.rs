//! Changes of plan: exact to the minor unit.

use crate::stage::{DAY, Stage};
use eyemotion_stripe_fake::Card;
use serde_json::{Value, json};
use std::time::Duration;

async fn swap(stage: &Stage, subscription: &str, price: &str, more: &[(&str, &str)]) -> Value {
    let item = stage.object(subscription)["items"]["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut form = vec![("items[0][id]", item.as_str()), ("items[0][price]", price)];
    form.extend(more);
    stage
        .post(&format!("subscriptions/{subscription}"), &form)
        .await
}

fn amounts(invoice: &Value) -> Vec<i64> {
    let lines = invoice["lines"]["data"].as_array().unwrap().iter();
    lines.map(|line| line["amount"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn an_upgrade_pays_for_the_rest_at_once() {
    let stage = Stage::new();
    let (creator, studio) = (
        stage.price(29_900, "month").await,
        stage.price(99_900, "month").await,
    );
    let (_, subscription) = stage.subscriber(&creator).await;
    stage.fake.advance(Duration::from_secs(10 * DAY));
    let item = stage.object(&subscription)["items"]["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = [
        ("subscription", subscription.as_str()),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", &studio),
        ("subscription_details[proration_behavior]", "always_invoice"),
    ];
    let before = stage.fake.counts();
    let preview = stage.post("invoices/create_preview", &form).await;
    assert_eq!(stage.fake.counts(), before, "a preview keeps nothing");
    swap(
        &stage,
        &subscription,
        &studio,
        &[("proration_behavior", "always_invoice")],
    )
    .await;
    let [invoice, _] = stage.invoices(&subscription).await.try_into().unwrap();
    // 21 of 31 days: 29,900 x 21/31 = 20,254.8, 99,900 x 21/31 = 67,674.2.
    assert_eq!(amounts(&invoice), [-20_255, 67_674]);
    assert_eq!(invoice["amount_paid"], 47_419);
    assert_eq!(
        (amounts(&preview), &preview["amount_due"]),
        (amounts(&invoice), &json!(47_419))
    );
    assert_eq!(invoice["billing_reason"], "subscription_update");
}

#[tokio::test]
async fn prorations_may_wait_for_the_next_invoice_or_not_be() {
    for (mode, due) in [
        ("create_prorations", 99_900 - 20_255 + 67_674),
        ("none", 99_900),
    ] {
        let stage = Stage::new();
        let (creator, studio) = (
            stage.price(29_900, "month").await,
            stage.price(99_900, "month").await,
        );
        let (_, subscription) = stage.subscriber(&creator).await;
        stage.fake.advance(Duration::from_secs(10 * DAY));
        swap(
            &stage,
            &subscription,
            &studio,
            &[("proration_behavior", mode)],
        )
        .await;
        assert_eq!(stage.invoices(&subscription).await.len(), 1);
        stage.fake.advance(Duration::from_secs(22 * DAY));
        let [invoice, _] = stage.invoices(&subscription).await.try_into().unwrap();
        assert_eq!(invoice["amount_paid"], due, "{mode}");
    }
}

#[tokio::test]
async fn what_is_due_back_stays_on_the_customer_s_balance() {
    let stage = Stage::new();
    let (creator, studio) = (
        stage.price(29_900, "month").await,
        stage.price(99_900, "month").await,
    );
    let (customer, subscription) = stage.subscriber(&studio).await;
    stage.fake.advance(Duration::from_secs(10 * DAY));
    swap(
        &stage,
        &subscription,
        &creator,
        &[("proration_behavior", "always_invoice")],
    )
    .await;
    assert_eq!(stage.object(&customer)["balance"], -47_419);
    stage.fake.advance(Duration::from_secs(22 * DAY));
    let [renewal, back, _] = stage.invoices(&subscription).await.try_into().unwrap();
    assert_eq!(
        (&back["total"], &back["amount_due"]),
        (&json!(-47_419), &json!(0))
    );
    assert_eq!(
        (&renewal["total"], &renewal["amount_due"]),
        (&json!(29_900), &json!(0))
    );
    assert_eq!(stage.object(&customer)["balance"], -47_419 + 29_900);
}

#[tokio::test]
async fn another_interval_begins_a_new_period() {
    let stage = Stage::new();
    let (month, year) = (
        stage.price(29_900, "month").await,
        stage.price(299_000, "year").await,
    );
    let (_, subscription) = stage.subscriber(&month).await;
    stage.fake.advance(Duration::from_secs(10 * DAY));
    let changed = swap(&stage, &subscription, &year, &[]).await;
    let item = &changed["items"]["data"][0];
    assert_eq!(item["current_period_start"], stage.fake.now());
    assert_eq!(item["current_period_end"], stage.fake.now() + 365 * 86_400);
    let [invoice, _] = stage.invoices(&subscription).await.try_into().unwrap();
    assert_eq!(amounts(&invoice), [-20_255, 299_000]);
}

#[tokio::test]
async fn a_change_waits_for_its_payment() {
    let stage = Stage::new();
    let (creator, studio) = (
        stage.price(29_900, "month").await,
        stage.price(99_900, "month").await,
    );
    let (customer, subscription) = stage.subscriber(&creator).await;
    stage.fake.set_card(&customer, Card::Declined);
    let asked = [
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", "pending_if_incomplete"),
    ];
    let waiting = swap(&stage, &subscription, &studio, &asked).await;
    assert_eq!(
        (
            &waiting["status"],
            &waiting["items"]["data"][0]["price"]["id"]
        ),
        (&json!("active"), &json!(creator))
    );
    assert_eq!(
        waiting["pending_update"]["subscription_items"][0]["price"]["id"],
        studio
    );
    stage.news();
    stage.fake.advance(Duration::from_secs(DAY));
    let gone = stage.object(&subscription);
    assert_eq!(
        (
            &gone["pending_update"],
            &gone["items"]["data"][0]["price"]["id"]
        ),
        (&json!(null), &json!(creator))
    );
    assert!(stage.news().contains(&"invoice.voided".to_owned()));

    let waiting = swap(&stage, &subscription, &studio, &asked).await;
    stage.fake.set_card(&customer, Card::Visa);
    stage
        .post(
            &format!(
                "invoices/{}/pay",
                waiting["latest_invoice"].as_str().unwrap()
            ),
            &[],
        )
        .await;
    assert_eq!(
        stage.object(&subscription)["items"]["data"][0]["price"]["id"],
        studio
    );
    assert!(
        stage
            .news()
            .contains(&"customer.subscription.pending_update_applied".to_owned())
    );
}
