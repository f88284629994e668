//! Stripe's webhook over HTTP.

use super::kv::admin;
use chrono::Utc;
use eyemotion_stripe_fake::signature_header;
use eyemotion_testkit::{Answer, TestApp};
use reqwest::Method;
use serde_json::json;

const SECRET: &str = "whsec_of_the_endpoint";

async fn app() -> TestApp {
    TestApp::start_with(|settings| {
        settings.stripe.secret_key = Some("sk_test_nobody".into());
        settings.stripe.webhook_secret = Some(format!("whsec_old, {SECRET}").as_str().into());
        // Nobody listens there.
        settings.stripe.api_url = String::from("http://127.0.0.1:9");
    })
    .await
}

async fn send(app: &TestApp, body: Vec<u8>, signature: Option<&str>) -> Answer {
    let client = app.anonymous();
    let mut request = client.request(Method::POST, "/payments/webhook");
    if let Some(signature) = signature {
        request = request.header("Stripe-Signature", signature);
    }
    client.send(request.body(body)).await
}

fn event(livemode: bool) -> Vec<u8> {
    let event = json!({
        "id": "evt_1", "type": "issuing_card.created", "livemode": livemode, "created": 1_793_491_200,
        "data": { "object": { "id": "ic_1", "object": "issuing.card" } },
    });
    event.to_string().into_bytes()
}

fn signed(body: &[u8]) -> String {
    signature_header(body, SECRET, Utc::now().timestamp())
}

#[tokio::test]
async fn an_event_is_received_whatever_is_switched_off() {
    let app = app().await;
    let off = json!({ "paymentsEnabled": false });
    admin(&app)
        .await
        .put("/admin/flags", &off)
        .await
        .expect(200);
    for _ in 0..2 {
        let answer = send(&app, event(false), Some(&signed(&event(false)))).await;
        assert_eq!(answer.expect(200), json!({ "received": true }));
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_not_stripes_is_refused_by_a_clear_code() {
    let app = app().await;
    let body = event(false);
    let forged = signature_header(&body, "whsec_guessed", Utc::now().timestamp());
    let old = signature_header(&body, SECRET, Utc::now().timestamp() - 400);
    for signature in [None, Some(""), Some("junk"), Some(&*forged), Some(&*old)] {
        let answer = send(&app, body.clone(), signature).await;
        assert_eq!(answer.problem(400), "invalid_signature", "{signature:?}");
    }
    let truncated = send(&app, body[..body.len() - 1].to_vec(), Some(&signed(&body))).await;
    assert_eq!(truncated.problem(400), "invalid_signature");
    let live = event(true);
    let answer = send(&app, live.clone(), Some(&signed(&live))).await;
    assert_eq!(answer.problem(400), "livemode_mismatch");
    let large = vec![b' '; 1024 * 1024 + 1];
    let answer = send(&app, large.clone(), Some(&signed(&large))).await;
    assert_eq!(answer.problem(413), "body_too_large");
    let just = vec![b' '; 1024 * 1024];
    send(&app, just.clone(), Some(&signed(&just)))
        .await
        .expect(200);
    app.stop().await;
}

#[tokio::test]
async fn without_a_key_payments_are_not_configured() {
    let app = TestApp::start().await;
    let body = event(false);
    let answer = send(&app, body.clone(), Some(&signed(&body))).await;
    assert_eq!(answer.problem(503), "billing_not_configured");
    let health = app.anonymous().get("/health").await.expect(200);
    assert_eq!(health["components"]["payments"]["status"], "disabled");
    app.stop().await;
}
