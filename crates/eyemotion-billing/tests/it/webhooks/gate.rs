//! What is let in.

use super::shop::Shop;
use bytes::Bytes;
use eyemotion_billing::{EventFilter, MAX_BODY, WebhookError, Webhooks};
use eyemotion_core::{Clock, Ctx};
use eyemotion_stripe_fake::{Delivery, signature_header};
use serde_json::json;

fn signed(shop: &Shop, body: Vec<u8>, secret: &str, offset: i64) -> Delivery {
    let at = shop.world.clock.now().timestamp() + offset;
    Delivery {
        event: String::new(),
        kind: String::new(),
        signature: signature_header(&body, secret, at),
        body: Bytes::from(body),
        delay: std::time::Duration::ZERO,
    }
}

fn event(id: &str, livemode: bool) -> Vec<u8> {
    json!({
        "id": id, "type": "invoice.paid", "livemode": livemode, "created": 1_793_491_200,
        "data": { "object": { "id": "in_nobodys", "object": "invoice", "customer": "cus_nobodys" } },
    })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn what_is_not_stripes_word_changes_nothing() {
    let shop = Shop::open().await;
    let secret = shop.fake.webhook_secret();
    let whole = event("evt_1", false);
    let mut truncated = signed(&shop, whole.clone(), &secret, 0);
    truncated.body = truncated.body.slice(..truncated.body.len() - 1);
    for (why, delivery) in [
        ("forged", signed(&shop, whole.clone(), "whsec_guessed", 0)),
        ("old", signed(&shop, whole.clone(), &secret, -301)),
        ("of the future", signed(&shop, whole.clone(), &secret, 301)),
        ("truncated", truncated),
    ] {
        let refused = shop.receive(&delivery).await;
        assert!(
            matches!(refused, Err(WebhookError::InvalidSignature)),
            "{why}: {refused:?}"
        );
    }
    let unsigned = shop
        .webhooks
        .receive(&Ctx::system("test"), &whole, None)
        .await;
    assert!(matches!(unsigned, Err(WebhookError::InvalidSignature)));
    let live = signed(&shop, event("evt_2", true), &secret, 0);
    let refused = shop.receive(&live).await;
    assert!(
        matches!(refused, Err(WebhookError::WrongMode)),
        "{refused:?}"
    );
    let large = signed(&shop, vec![b' '; MAX_BODY + 1], &secret, 0);
    let refused = shop.receive(&large).await;
    assert!(
        matches!(refused, Err(WebhookError::TooLarge)),
        "{refused:?}"
    );
    assert_eq!(
        shop.world.count("select count(*) from stripe_events").await,
        0
    );
    assert_eq!(shop.world.count("select count(*) from jobs.jobs").await, 0);
    shop.close().await;
}

#[tokio::test]
async fn any_secret_opens_and_an_event_is_kept_once() {
    let shop = Shop::open().await;
    for secret in ["whsec_old", &shop.fake.webhook_secret()] {
        let delivery = signed(&shop, event("evt_1", false), secret, -299);
        shop.receive(&delivery).await.unwrap();
        shop.receive(&delivery).await.unwrap();
    }
    shop.settle().await;
    let events = shop.events(EventFilter::default()).await;
    assert_eq!(events.len(), 1);
    // Of another system in the same account.
    assert_eq!(
        (events[0].status.as_str(), events[0].source.as_str()),
        ("ignored", "webhook")
    );
    shop.close().await;
}

#[tokio::test]
async fn what_stripe_signed_and_nobody_can_read_is_kept_for_somebody() {
    let shop = Shop::open().await;
    let secret = shop.fake.webhook_secret();
    for body in [
        &b"{"[..],
        b"\xff\xfe",
        br#"{"id":"evt\u0000","type":"a","livemode":false}"#,
    ] {
        shop.receive(&signed(&shop, body.to_vec(), &secret, 0))
            .await
            .unwrap();
    }
    shop.receive(&signed(&shop, b"{".to_vec(), &secret, 1))
        .await
        .unwrap();
    let dead = EventFilter {
        dead: true,
        ..EventFilter::default()
    };
    assert_eq!(shop.events(dead).await.len(), 3);
    let odd = json!({ "id": "evt_odd", "type": "issuing_card.created", "livemode": false });
    shop.receive(&signed(&shop, odd.to_string().into_bytes(), &secret, 0))
        .await
        .unwrap();
    shop.settle().await;
    let odd = EventFilter {
        id: Some("evt_odd".to_owned()),
        ..EventFilter::default()
    };
    assert_eq!(shop.events(odd).await[0].status, "ignored");
    shop.close().await;
}
