//! The list of events.

use crate::stage::{DAY, MARCH_10, Stage};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn events_tell_what_changed_and_why() {
    let stage = Stage::new();
    let customer = stage.customer().await;
    let path = format!("customers/{customer}");
    stage
        .tell("POST", &path, &[("name", "New")], Some("why"))
        .await;
    let [updated, created] = stage
        .fake
        .events()
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(created["type"], "customer.created");
    assert_eq!(created["data"].get("previous_attributes"), None);
    assert_eq!(
        updated["data"]["previous_attributes"],
        json!({ "name": null })
    );
    assert_eq!(updated["request"]["idempotency_key"], "why");
    assert_eq!(updated["api_version"], eyemotion_stripe_fake::API_VERSION);
    // A change that changes nothing is not told.
    stage.post(&path, &[("name", "New")]).await;
    assert_eq!(stage.fake.events().len(), 2);
}

#[tokio::test]
async fn events_are_kept_for_thirty_days() {
    let stage = Stage::new();
    stage.customer().await;
    stage.fake.advance(Duration::from_secs(29 * DAY));
    stage.credits(5_000).await;
    let since = (MARCH_10 + 1).to_string();
    let count = |told: serde_json::Value| told["data"].as_array().unwrap().len();
    assert_eq!(
        count(stage.get("events", &[("types[]", "customer.*")]).await),
        1
    );
    assert_eq!(
        count(stage.get("events", &[("created[gte]", &since)]).await),
        5
    );
    stage.fake.advance(Duration::from_secs(2 * DAY));
    let left = stage.get("events", &[("limit", "100")]).await;
    assert_eq!(
        left["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["type"] == "customer.created")
            .count(),
        0
    );
    let gone = stage.fake.events()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        stage
            .tell("GET", &format!("events/{gone}"), &[], None)
            .await
            .status,
        404
    );
}
