//! `just bench-pressure`: how others fare while very many people sign in at once.
//!
//! Password hashes take every core they get, so they run on a bounded pool: a few wait, the rest
//! are told to come back. Meanwhile one client reads its account.

use crate::Result;
use crate::http::{Client, Request};
use crate::server::Server;
use hdrhistogram::Histogram;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const API: &str = "/api/v1";
const PASSWORD: &str = "a long enough password";
/// Between two readings of the account.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Counts {
    signed_in: AtomicU64,
    refused: AtomicU64,
}

/// `people` sign in, each again as soon as it may, while one reads its account for `time`.
pub async fn run(server: &Server, people: usize, time: Duration) -> Result<()> {
    let account =
        json!({ "email": "bench@example.com", "password": PASSWORD, "fullName": "Bench" });
    let register = Request::post(&format!("{API}/auth/register"), &account);
    let registered = server.call(&register).await?;
    let token = crate::text(&registered, "/session/accessToken")?;
    let me = Request::get(&format!("{API}/auth/me")).bearer(&token);
    let sign_in = Request::post(&format!("{API}/auth/signin"), &account_of(&account)).bytes();

    let alone = read(server.port(), &me.bytes(), time / 4).await?;
    let (over, counts) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(Counts::default()),
    );
    let crowd: Vec<_> = (0..people)
        .map(|_| {
            let (sign_in, port) = (sign_in.clone(), server.port());
            let (over, counts) = (Arc::clone(&over), Arc::clone(&counts));
            tokio::spawn(async move { keep_signing_in(port, &sign_in, &over, &counts).await })
        })
        .collect();
    while counts.refused.load(Ordering::Relaxed) == 0 && people > 100 {
        tokio::time::sleep(PAUSE).await;
    }
    let pressed = read(server.port(), &me.bytes(), time).await?;
    over.store(true, Ordering::Relaxed);
    for person in crowd {
        person.await??;
    }
    print(people, &alone, &pressed, &counts);
    Ok(())
}

fn account_of(account: &serde_json::Value) -> serde_json::Value {
    json!({ "email": account["email"], "password": account["password"] })
}

/// Microseconds of each reading.
async fn read(port: u16, me: &[u8], time: Duration) -> Result<Histogram<u64>> {
    let mut latency = Histogram::<u64>::new(3)?;
    let mut client = Client::connect(port).await?;
    let started = Instant::now();
    while started.elapsed() < time {
        let sent = Instant::now();
        client.call(me).await?;
        latency.record(u64::try_from(sent.elapsed().as_micros())?)?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(latency)
}

async fn keep_signing_in(
    port: u16,
    sign_in: &[u8],
    over: &AtomicBool,
    counts: &Counts,
) -> Result<()> {
    let mut client = Client::connect(port).await?;
    while !over.load(Ordering::Relaxed) {
        match client.call(sign_in).await {
            Ok(_) => counts.signed_in.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                let answer = error.to_string();
                if !(answer.starts_with("http/1.1 503") && answer.contains("retry-after: ")) {
                    return Err(error);
                }
                // What Retry-After says.
                tokio::time::sleep(Duration::from_secs(1)).await;
                counts.refused.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn print(people: usize, alone: &Histogram<u64>, pressed: &Histogram<u64>, counts: &Counts) {
    let ms = |latency: &Histogram<u64>, quantile| {
        Duration::from_micros(latency.value_at_quantile(quantile)).as_secs_f64() * 1e3
    };
    println!("| people signing in | me p50 ms | me p99 ms | signed in | told to come back |");
    println!("|---:|---:|---:|---:|---:|");
    println!(
        "| 0 | {:.2} | {:.2} | 0 | 0 |",
        ms(alone, 0.5),
        ms(alone, 0.99)
    );
    println!(
        "| {people} | {:.2} | {:.2} | {} | {} |",
        ms(pressed, 0.5),
        ms(pressed, 0.99),
        counts.signed_in.load(Ordering::Relaxed),
        counts.refused.load(Ordering::Relaxed),
    );
}
