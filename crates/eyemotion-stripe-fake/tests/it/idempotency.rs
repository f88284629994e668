//! <https://docs.stripe.com/api/idempotent_requests>

use crate::stage::Stage;
use eyemotion_stripe_fake::{Fault, FaultKind};
use std::time::Duration;

#[tokio::test]
async fn a_key_answers_again_and_does_nothing_twice() {
    let stage = Stage::new();
    let form = [("email", "d@example.com")];
    let first = stage.tell("POST", "customers", &form, Some("k1")).await;
    let again = stage.tell("POST", "customers", &form, Some("k1")).await;
    assert_eq!(first.body, again.body);
    assert!(first.headers.get("idempotent-replayed").is_none());
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(stage.fake.counts()["customer"], 1);
    let other = stage.tell("POST", "customers", &form, Some("k2")).await;
    assert_ne!(first.body["id"], other.body["id"]);
    let keys: Vec<_> = stage
        .fake
        .requests()
        .into_iter()
        .map(|it| it.idempotency_key)
        .collect();
    assert_eq!(
        keys,
        [
            Some("k1".to_owned()),
            Some("k1".to_owned()),
            Some("k2".to_owned())
        ]
    );
}

#[tokio::test]
async fn a_key_with_another_body_or_path_is_refused() {
    let stage = Stage::new();
    let form = [("name", "Same")];
    stage.tell("POST", "customers", &form, Some("k")).await;
    for (path, form) in [("customers", [("name", "Other")]), ("products", form)] {
        let told = stage.tell("POST", path, &form, Some("k")).await;
        assert_eq!(
            (told.status, &told.body["error"]["type"]),
            (400, &"idempotency_error".into())
        );
    }
    assert_eq!(stage.fake.counts().get("product"), None);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let stage = Stage::new();
    let wrong = stage
        .tell("POST", "products", &[("nam", "x")], Some("k"))
        .await;
    assert_eq!(wrong.code(), "parameter_unknown");
    let right = stage
        .tell("POST", "products", &[("name", "x")], Some("k"))
        .await;
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn a_key_in_use_is_a_conflict() {
    let stage = Stage::new();
    stage.fake.fault(Fault::on_post(
        "customers",
        FaultKind::Slow(Duration::from_secs(2)),
    ));
    let (one, other) = tokio::join!(
        stage.tell("POST", "customers", &[], Some("k")),
        stage.tell("POST", "customers", &[], Some("k")),
    );
    // Whichever came first is the slow one.
    let (slow, refused) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(slow.status, 200);
    assert_eq!(
        (refused.status, refused.code()),
        (409, "idempotency_key_in_use")
    );
    assert_eq!(stage.fake.counts()["customer"], 1);
}
