//! A downgrade at the period's end.

use crate::stage::{DAY, Stage, id};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_next_phase_s_price_is_the_renewal_s() {
    let stage = Stage::new();
    let (studio, creator) = (
        stage.price(99_900, "month").await,
        stage.price(29_900, "month").await,
    );
    let (_, subscription) = stage.subscriber(&studio).await;
    let made = stage
        .post(
            "subscription_schedules",
            &[("from_subscription", &subscription)],
        )
        .await;
    let (start, end) = (
        made["phases"][0]["start_date"].to_string(),
        made["phases"][0]["end_date"].to_string(),
    );
    let form = [
        ("end_behavior", "release"),
        ("phases[0][items][0][price]", studio.as_str()),
        ("phases[0][start_date]", &start),
        ("phases[0][end_date]", &end),
        ("phases[1][items][0][price]", &creator),
        ("phases[1][duration][interval]", "month"),
        ("phases[1][proration_behavior]", "none"),
    ];
    let path = format!("subscription_schedules/{}", id(&made));
    stage.post(&path, &form).await;
    let told = stage
        .refused(
            &format!("subscriptions/{subscription}"),
            &[("cancel_at_period_end", "true")],
        )
        .await;
    assert_eq!(told.status, 400);
    stage.fake.advance(Duration::from_secs(32 * DAY));
    let [renewal, _] = stage.invoices(&subscription).await.try_into().unwrap();
    assert_eq!(renewal["amount_paid"], 29_900);
    assert_eq!(stage.object(&subscription)["schedule"], made["id"]);
    stage.fake.advance(Duration::from_secs(31 * DAY));
    assert_eq!(stage.object(&id(&made))["status"], "released");
    assert_eq!(stage.object(&subscription)["schedule"], json!(null));
    assert_eq!(stage.object(&subscription)["status"], "active");
}

#[tokio::test]
async fn a_released_schedule_changes_nothing() {
    let stage = Stage::new();
    let studio = stage.price(99_900, "month").await;
    let (_, subscription) = stage.subscriber(&studio).await;
    let made = id(&stage
        .post(
            "subscription_schedules",
            &[("from_subscription", &subscription)],
        )
        .await);
    stage
        .refused(
            "subscription_schedules",
            &[("from_subscription", &subscription)],
        )
        .await;
    let released = stage
        .post(&format!("subscription_schedules/{made}/release"), &[])
        .await;
    assert_eq!(released["status"], "released");
    stage.fake.advance(Duration::from_secs(32 * DAY));
    assert_eq!(
        stage.object(&subscription)["items"]["data"][0]["price"]["id"],
        studio
    );
}
