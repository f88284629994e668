//! `just bench-webhooks`: how soon Stripe is answered, at two hundred events a second.
//!
//! Events come at their time whether the one before is answered or not, and the wait for a free
//! connection counts, so that a slow answer is not hidden by those that it holds up.

use crate::Result;
use crate::http::{Client, Request};
use crate::server::{Server, WEBHOOK_SECRET};
use aws_lc_rs::hmac;
use hdrhistogram::Histogram;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const PER_SECOND: u64 = 200;
const CONNECTIONS: u64 = 16;
/// Events of an invoice are about so large.
const PADDING: usize = 4_000;

/// Sends events for so many seconds and prints a line.
pub async fn run(server: &Server, seconds: u64) -> Result<()> {
    let total = PER_SECOND * seconds;
    let next = Arc::new(AtomicU64::new(0));
    let port = server.port();
    let started = Instant::now() + Duration::from_millis(200);
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(send(port, Arc::clone(&next), total, started)))
        .collect();
    let mut answered = Histogram::<u64>::new(3)?;
    for sender in senders {
        answered.add(sender.await??)?;
    }
    let rate = f64::from(u32::try_from(total)?) / started.elapsed().as_secs_f64();
    let ms = |quantile| {
        f64::from(u32::try_from(answered.value_at_quantile(quantile)).unwrap_or(u32::MAX)) / 1000.0
    };
    writeln!(
        std::io::stdout().lock(),
        "| what | events | a second | median ms | p99 ms | most ms |\n|---|---:|---:|---:|---:|---:|\n\
         | webhook | {total} | {rate:.0} | {:.1} | {:.1} | {:.1} |",
        ms(0.5),
        ms(0.99),
        ms(1.0),
    )?;
    Ok(())
}

async fn send(
    port: u16,
    next: Arc<AtomicU64>,
    total: u64,
    started: Instant,
) -> Result<Histogram<u64>> {
    let mut client = Client::connect(port).await?;
    let mut answered = Histogram::<u64>::new(3)?;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= total {
            return Ok(answered);
        }
        let due = started + Duration::from_micros(number * 1_000_000 / PER_SECOND);
        tokio::time::sleep_until(due.into()).await;
        let request = event(number)?;
        client.call(&request.bytes()).await?;
        answered.record(u64::try_from(due.elapsed().as_micros())?)?;
    }
}

fn event(number: u64) -> Result<Request> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let body = json!({
        "id": format!("evt_bench_{number}"), "object": "event", "type": "invoice.paid",
        "livemode": false, "created": now,
        "data": { "object": { "id": format!("in_{number}"), "object": "invoice", "text": "x".repeat(PADDING) } },
    });
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{now}.{body}").as_bytes());
    let mut header = format!("t={now},v1=");
    for byte in tag.as_ref() {
        write!(header, "{byte:02x}")?;
    }
    Ok(Request::post("/api/v1/payments/webhook", &body).header("Stripe-Signature", &header))
}
