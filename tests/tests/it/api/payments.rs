//! Paying over HTTP, with the double of Stripe.

use eyemotion_stripe_fake::{Card, StripeFake};
use eyemotion_testkit::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

async fn shop() -> (TestApp, StripeFake) {
    let fake = StripeFake::start();
    let app = TestApp::start_with(|settings| {
        settings.stripe.secret_key = Some(fake.secret_key().as_str().into());
        settings.stripe.webhook_secret = Some(fake.webhook_secret().as_str().into());
        fake.url().clone_into(&mut settings.stripe.api_url);
        settings.server.frontend_url = Some("https://app.example.com".to_owned());
    })
    .await;
    (app, fake)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

#[tokio::test]
async fn somebody_subscribes_changes_and_leaves() {
    let (app, fake) = shop().await;
    let person = app.person().await;
    let wish = json!({
        "planName": "creator", "successUrl": "https://app.example.com/paid",
        "cancelUrl": "https://app.example.com/back",
    });
    let checkout = person.post("/payments/checkout", &wish).await.expect(200);
    let session = text(&checkout, "sessionId");
    assert!(text(&checkout, "checkoutUrl").starts_with("https://"));
    let again = person.post("/payments/checkout", &wish).await.expect(200);
    assert_eq!(again, checkout);
    fake.complete_checkout(session, Card::Visa).unwrap();
    let sync = format!("/payments/checkout/{session}/sync");
    let synced = person.post(&sync, &json!({})).await.expect(200);
    assert_eq!(synced["status"], "paid");
    let other = app.person().await;
    let stranger = other.post(&sync, &json!({})).await;
    assert_eq!(stranger.problem(404), "checkout_not_found");
    let second = person.post("/payments/checkout", &wish).await;
    assert_eq!(second.problem(409), "subscription_exists");

    let preview = person.get("/payments/change-plan/preview?planName=pro");
    let preview = preview.await.expect(200)["change"].clone();
    assert_eq!(preview["immediate"], true);
    let change = json!({ "planName": "pro", "prorationDate": preview["prorationDate"] });
    let changed = person.post("/payments/change-plan", &change).await;
    assert_eq!(changed.expect(200)["change"], preview);
    let down = json!({ "planName": "creator" });
    let planned = person
        .post("/payments/change-plan", &down)
        .await
        .expect(200);
    assert_eq!(planned["change"]["immediate"], false);
    let history = person.get("/payments/history").await.expect(200);
    assert_eq!(
        history["payments"].as_array().unwrap().len(),
        2,
        "{history}"
    );
    assert_eq!(history["payments"][0]["amount"], preview["amountDue"]);

    for _ in 0..2 {
        let cancelled = person
            .post("/payments/cancel", &json!({}))
            .await
            .expect(200);
        assert_eq!(cancelled["subscription"]["cancelAtPeriodEnd"], true);
        assert!(cancelled["message"].is_string());
    }
    let resumed = person
        .post("/payments/resume", &json!({}))
        .await
        .expect(200);
    assert_eq!(resumed["subscription"]["cancelAtPeriodEnd"], false);
    let portal = person
        .post("/payments/portal", &json!({}))
        .await
        .expect(200);
    assert!(text(&portal, "url").starts_with("https://"));
    app.stop().await;
}

#[tokio::test]
async fn bad_wishes_have_clear_codes() {
    let (app, fake) = shop().await;
    let person = app.person().await;
    for (body, pointer) in [
        (json!({ "creditAmount": -5 }), "/creditAmount"),
        (json!({ "creditAmount": 0 }), "/creditAmount"),
        (json!({ "creditAmount": 19 }), "/creditAmount"),
        (json!({ "creditAmount": 100.5 }), "/creditAmount"),
        (json!({ "creditAmount": "100" }), "/creditAmount"),
        (json!({ "creditAmount": 100, "amount": 1 }), "/amount"),
        (
            json!({ "creditAmount": 100, "successUrl": "https://evil.com/" }),
            "/successUrl",
        ),
        (
            json!({ "creditAmount": 100, "cancelUrl": "javascript:alert(1)" }),
            "/cancelUrl",
        ),
    ] {
        let refused = person.post("/payments/credits", &body).await;
        assert_eq!(refused.problem(422), "validation_failed", "{body}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let least = json!({ "creditAmount": 1 });
    let least = person.post("/payments/credits", &least).await;
    assert!(
        least.body["errors"][0]["detail"]
            .to_string()
            .contains("from 20 (10.00 THB")
    );
    let unknown = json!({ "planName": "gold" });
    let unknown = person.post("/payments/checkout", &unknown).await;
    assert_eq!(unknown.problem(422), "validation_failed");
    for path in ["/payments/cancel", "/payments/resume"] {
        let nothing = person.post(path, &json!({})).await;
        assert_eq!(nothing.problem(404), "subscription_not_found");
    }
    let code = person.get("/payments/promotion-codes?code=NOPE").await;
    assert_eq!(code.problem(404), "promotion_code_not_found");
    assert!(fake.objects("checkout.session").is_empty());
    fake.down(true);
    let down = json!({ "creditAmount": 100 });
    let down = person.post("/payments/credits", &down).await;
    assert_eq!(down.problem(503), "payments_unavailable");
    assert!(down.header("retry-after").is_some());
    app.stop().await;
}

#[tokio::test]
async fn without_a_key_paid_routes_say_so() {
    let app = TestApp::start().await;
    let person = app.person().await;
    for (path, body) in [
        ("/payments/checkout", json!({ "planName": "creator" })),
        ("/payments/credits", json!({ "creditAmount": 100 })),
        ("/payments/cancel", json!({})),
        ("/payments/resume", json!({})),
        ("/payments/change-plan", json!({ "planName": "pro" })),
        ("/payments/portal", json!({})),
        ("/payments/checkout/cs_test_1/sync", json!({})),
    ] {
        let request = person.request(Method::POST, path).json(&body);
        let answer = person.send(request).await;
        assert_eq!(answer.problem(503), "billing_not_configured", "{path}");
    }
    let subscription = person.get("/payments/subscription").await.expect(200);
    assert_eq!(subscription["subscription"]["plan"]["name"], "freemium");
    let history = person.get("/payments/history").await.expect(200);
    assert_eq!(history["payments"], json!([]));
    app.stop().await;
}
