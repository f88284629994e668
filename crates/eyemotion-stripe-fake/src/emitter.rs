//! Webhooks as a bad network delivers them.

use crate::server::Shared;
use crate::signature::signature_header_of;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// How deliveries go wrong. The default is each event once, in order.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The same seed makes the same mess.
    pub seed: u64,
    /// The percentage of events that is never delivered.
    pub drop_percent: u32,
    /// How often each other event comes.
    pub copies: RangeInclusive<u32>,
    /// Whether the order is lost.
    pub shuffle: bool,
    /// Each delivery waits up to that long before it is sent.
    pub delay: Duration,
    /// What is signed with, one `v1` each; empty for the fake's own secret.
    pub secrets: Vec<String>,
    /// Seconds that are added to the time of the signature.
    pub offset: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            seed: 0,
            drop_percent: 0,
            copies: 1..=1,
            shuffle: false,
            delay: Duration::ZERO,
            secrets: Vec::new(),
            offset: 0,
        }
    }
}

/// One webhook as it is sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// The raw body, an event in JSON.
    pub body: Bytes,
    /// `Stripe-Signature`.
    pub signature: String,
    /// How long to wait before it is sent.
    pub delay: Duration,
}

/// What a policy made of some events.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    /// In the order of their sending.
    pub sent: Vec<Delivery>,
    /// Ids of events that are never delivered.
    pub dropped: Vec<String>,
}

impl Policy {
    /// Turns events into deliveries that are signed at `now`.
    pub(crate) fn apply(&self, events: &[Value], secret: &str, now: i64) -> Deliveries {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut made = Deliveries::default();
        let mut secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        if secrets.is_empty() {
            secrets.push(secret);
        }
        for event in events {
            let named = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            if random.random_range(0..100) < self.drop_percent {
                made.dropped.push(named("id"));
                continue;
            }
            let body = Bytes::from(event.to_string());
            for _ in 0..random.random_range(self.copies.clone()) {
                let longest = u64::try_from(self.delay.as_millis()).unwrap_or(0);
                made.sent.push(Delivery {
                    event: named("id"),
                    kind: named("type"),
                    signature: signature_header_of(&body, &secrets, now + self.offset),
                    body: body.clone(),
                    delay: Duration::from_millis(random.random_range(0..=longest)),
                });
            }
        }
        if self.shuffle {
            made.sent.shuffle(&mut random);
        }
        made
    }
}

/// What came of deliveries.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The answers' statuses, in the order in which they came; 0 where none came.
    pub statuses: Vec<u16>,
    /// Ids of events that were never delivered.
    pub dropped: Vec<String>,
}

impl Report {
    /// Whether each delivery was answered 200.
    pub fn all_accepted(&self) -> bool {
        self.statuses.iter().all(|status| *status == 200)
    }
}

/// Sends webhooks to one address.
#[derive(Clone)]
pub struct Emitter {
    shared: Shared,
    handle: Handle,
    url: String,
}

impl Emitter {
    pub(crate) fn new(shared: Shared, handle: Handle, url: &str) -> Self {
        Self {
            shared,
            handle,
            url: url.to_owned(),
        }
    }

    /// Delivers the events that nobody has taken yet, by that many senders at once. It runs on the fake's own
    /// thread, and may be awaited on any runtime.
    pub async fn deliver_all(&self, policy: &Policy, senders: usize) -> Report {
        let deliveries = {
            let mut world = self.shared.lock();
            let events = world.take_events();
            policy.apply(&events, &world.webhook_secret, world.state.now)
        };
        self.send(deliveries, senders).await
    }

    /// Delivers these.
    pub async fn send(&self, deliveries: Deliveries, senders: usize) -> Report {
        let dropped = deliveries.dropped;
        let queue = Arc::new(Mutex::new(deliveries.sent.into_iter()));
        let mut running = Vec::new();
        for _ in 0..senders.max(1) {
            let (queue, url) = (queue.clone(), self.url.clone());
            running.push(self.handle.spawn(async move {
                let client = Client::builder(TokioExecutor::new()).build_http();
                let mut statuses = Vec::new();
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(delivery) = next else {
                        return statuses;
                    };
                    if !delivery.delay.is_zero() {
                        tokio::time::sleep(delivery.delay).await;
                    }
                    statuses.push(post(&client, &url, &delivery).await.unwrap_or(0));
                }
            }));
        }
        let mut report = Report {
            statuses: Vec::new(),
            dropped,
        };
        for sender in running {
            report.statuses.extend(sender.await.unwrap_or_default());
        }
        report
    }
}

type Http = Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;

async fn post(client: &Http, url: &str, delivery: &Delivery) -> Option<u16> {
    let request = hyper::Request::post(url)
        .header("content-type", "application/json; charset=utf-8")
        .header(
            "user-agent",
            "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        )
        .header("stripe-signature", &delivery.signature)
        .body(Full::new(delivery.body.clone()))
        .ok()?;
    let response = client.request(request).await.ok()?;
    let status = response.status().as_u16();
    response.into_body().collect().await.ok()?;
    Some(status)
}
