//! Faults, and what is left when one has passed.

use crate::stage::Stage;
use eyemotion_stripe_fake::{Fault, FaultKind};
use std::time::Duration;

#[tokio::test]
async fn a_time_out_after_the_commit_is_healed_by_the_key() {
    let stage = Stage::new();
    for kind in [FaultKind::TimeoutAfterCommit, FaultKind::ResetAfterCommit] {
        let key = format!("{kind:?}");
        stage.fake.fault(Fault::on_post("customers", kind));
        let request = stage.request("POST", "customers", &[], Some(&key));
        request
            .timeout(Duration::from_millis(500))
            .send()
            .await
            .unwrap_err();
        let told = stage.tell("POST", "customers", &[], Some(&key)).await;
        assert_eq!(told.headers["idempotent-replayed"], "true");
    }
    assert_eq!(stage.fake.counts()["customer"], 2);
}

#[tokio::test]
async fn nothing_is_done_behind_a_status() {
    let stage = Stage::new();
    for status in [500, 429, 409] {
        stage
            .fake
            .fault(Fault::on("customers", FaultKind::Status(status)).times(2));
        for _ in 0..2 {
            let told = stage.tell("POST", "customers", &[], Some("k")).await;
            assert_eq!(told.status, status);
            assert_eq!(told.headers.contains_key("retry-after"), status == 429);
        }
    }
    stage
        .fake
        .fault(Fault::on_post("customers", FaultKind::ConnectionReset));
    stage
        .request("POST", "customers", &[], Some("k"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(stage.fake.counts().get("customer"), None);
    stage.get("customers", &[]).await;
    assert_eq!(
        stage.tell("POST", "customers", &[], Some("k")).await.status,
        200
    );
}

#[tokio::test]
async fn a_failure_after_the_commit_stays_with_its_key() {
    let stage = Stage::new();
    stage.fake.fault(Fault::on_post(
        "customers",
        FaultKind::StatusAfterCommit(500),
    ));
    for _ in 0..2 {
        let told = stage.tell("POST", "customers", &[], Some("k")).await;
        assert_eq!(
            (told.status, &told.body["error"]["type"]),
            (500, &"api_error".into())
        );
    }
    assert_eq!(stage.fake.counts()["customer"], 1);
}

#[tokio::test]
async fn down_is_down_until_it_is_up() {
    let stage = Stage::new();
    stage.get("customers", &[]).await;
    stage.fake.down(true);
    stage
        .request("GET", "customers", &[], None)
        .send()
        .await
        .unwrap_err();
    stage.fake.down(false);
    stage.get("customers", &[]).await;
}

#[tokio::test]
async fn another_key_is_nobodys() {
    let stage = Stage::new();
    let url = format!("{}v1/customers", stage.fake.url());
    let told = stage
        .http
        .get(url)
        .bearer_auth("sk_test_other")
        .send()
        .await
        .unwrap();
    assert_eq!(told.status().as_u16(), 401);
}
