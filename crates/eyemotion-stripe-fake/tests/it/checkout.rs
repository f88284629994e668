//! Sessions, cards and codes.

use crate::stage::{Stage, id};
use eyemotion_stripe_fake::Card;
use serde_json::json;

#[tokio::test]
async fn a_payment_tells_its_events_in_order() {
    let stage = Stage::new();
    let session = stage.credits_session(5_000).await;
    stage.news();
    let done = stage.fake.complete_checkout(&session, Card::Visa).unwrap();
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
    assert_eq!(
        stage.news(),
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
            "checkout.session.completed",
        ]
    );
    stage
        .fake
        .complete_checkout(&session, Card::Visa)
        .unwrap_err();
}

#[tokio::test]
async fn a_declined_card_leaves_the_session_open() {
    let stage = Stage::new();
    let session = stage.credits_session(5_000).await;
    stage.news();
    let open = stage
        .fake
        .complete_checkout(&session, Card::InsufficientFunds)
        .unwrap();
    assert_eq!(
        (&open["status"], &open["payment_status"]),
        (&json!("open"), &json!("unpaid"))
    );
    let intent = stage.object(open["payment_intent"].as_str().unwrap());
    assert_eq!(
        intent["last_payment_error"]["decline_code"],
        "insufficient_funds"
    );
    assert_eq!(
        stage.news(),
        [
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed"
        ]
    );
    let paid = stage.fake.complete_checkout(&session, Card::Visa).unwrap();
    assert_eq!(paid["payment_intent"], open["payment_intent"]);
    assert_eq!(paid["payment_status"], "paid");
}

#[tokio::test]
async fn a_card_may_wait_for_its_owner() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let customer = stage.customer().await;
    let form = [
        ("mode", "subscription"),
        ("success_url", "https://eyemotion.test/done"),
        ("customer", &customer),
        ("line_items[0][price]", &price),
    ];
    let session = id(&stage.post("checkout/sessions", &form).await);
    let open = stage
        .fake
        .complete_checkout(&session, Card::Requires3ds)
        .unwrap();
    let subscription = open["subscription"].as_str().unwrap();
    assert_eq!(stage.object(subscription)["status"], "incomplete");
    let intent = stage.fake.objects("payment_intent").pop().unwrap();
    assert_eq!(intent["status"], "requires_action");
    stage.fake.authenticate(&id(&intent), true).unwrap();
    assert_eq!(stage.object(subscription)["status"], "active");
    assert_eq!(stage.object(&session)["status"], "complete");
}

#[tokio::test]
async fn promptpay_pays_later_or_never() {
    let stage = Stage::new();
    for (ok, status, event) in [
        (true, "paid", "checkout.session.async_payment_succeeded"),
        (false, "unpaid", "checkout.session.async_payment_failed"),
    ] {
        let session = stage.credits_session(5_000).await;
        let done = stage
            .fake
            .complete_checkout(&session, Card::PromptPayLater)
            .unwrap();
        assert_eq!(
            (&done["status"], &done["payment_status"]),
            (&json!("complete"), &json!("unpaid"))
        );
        stage.fake.settle_async_payment(&session, ok).unwrap();
        assert_eq!(
            stage
                .get(&format!("checkout/sessions/{session}"), &[])
                .await["payment_status"],
            status
        );
        assert_eq!(stage.news().pop().unwrap(), event);
    }
}

#[tokio::test]
async fn a_code_takes_its_share_for_as_long_as_it_lasts() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let cases = [
        ("once", "", [23_920, 29_900, 29_900]),
        ("repeating", "2", [23_920, 23_920, 29_900]),
        ("forever", "", [23_920, 23_920, 23_920]),
    ];
    for (duration, months, amounts) in cases {
        let mut form = vec![("percent_off", "20"), ("duration", duration)];
        if !months.is_empty() {
            form.push(("duration_in_months", months));
        }
        let coupon = id(&stage.post("coupons", &form).await);
        let form = [
            ("promotion[type]", "coupon"),
            ("promotion[coupon]", &coupon),
            ("code", duration),
        ];
        stage.post("promotion_codes", &form).await;
        let form = [
            ("mode", "subscription"),
            ("success_url", "https://eyemotion.test/done"),
            ("allow_promotion_codes", "true"),
            ("line_items[0][price]", &price),
        ];
        let session = id(&stage.post("checkout/sessions", &form).await);
        let wrong = stage
            .fake
            .complete_checkout_with_code(&session, Card::Visa, "NONE");
        assert!(wrong.is_err());
        let done = stage
            .fake
            .complete_checkout_with_code(&session, Card::Visa, &duration.to_uppercase())
            .unwrap();
        assert_eq!(done["amount_total"], 23_920);
        let subscription = done["subscription"].as_str().unwrap();
        for _ in 0..2 {
            stage
                .fake
                .advance(std::time::Duration::from_hours(31 * 24 + 1));
        }
        let mut paid: Vec<i64> = stage
            .invoices(subscription)
            .await
            .iter()
            .map(|invoice| invoice["amount_paid"].as_i64().unwrap())
            .collect();
        paid.reverse();
        assert_eq!(paid, amounts, "{duration}");
    }
}

#[tokio::test]
async fn wrong_sessions_are_refused() {
    let stage = Stage::new();
    let price = stage.price(29_900, "month").await;
    let good = [
        ("mode", "subscription"),
        ("success_url", "https://eyemotion.test/done"),
        ("line_items[0][price]", price.as_str()),
    ];
    for (key, value) in [
        ("mode", "payment"),
        ("mode", "never"),
        ("success_url", ""),
        ("line_items[0][price]", "price_none"),
        ("line_items[0][amount]", "1"),
        ("customer", "cus_none"),
        ("expires_at", "1"),
    ] {
        let mut form: Vec<_> = good
            .iter()
            .copied()
            .filter(|(name, _)| *name != key)
            .collect();
        form.push((key, value));
        stage.refused("checkout/sessions", &form).await;
    }
    assert_eq!(stage.fake.counts().get("checkout.session"), None);
}
