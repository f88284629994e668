//! `just bench-timing`: does the time of an answer tell which addresses have an account?
//!
//! Two kinds of address are asked about in turn, each first in every other pair. The Mann-Whitney
//! test says how likely such samples are if the two take the same time: a p below 0.01 together
//! with medians that lie apart means that somebody could tell.

use crate::Result;
use crate::http::{Client, Request};
use crate::server::Server;
use serde_json::json;
use std::time::Instant;

const PASSWORD: &str = "a long enough password";
const API: &str = "/api/v1";
/// Questions before those that count.
const WARM_UP: usize = 20;

/// Runs every comparison with so many pairs and prints a line for each.
pub async fn run(server: &Server, pairs: usize) -> Result<()> {
    for name in ["known", "provider", "banned"] {
        let body = json!({ "email": address(name), "password": PASSWORD, "fullName": "Bench" });
        let path = format!("{API}/auth/register");
        server.call(&Request::post(&path, &body)).await?;
    }
    server
        .sql(&format!(
            "update auth.users set password_hash = null where email = '{}';
             update auth.users set banned_until = now() + interval '1 day' where email = '{}'",
            address("provider"),
            address("banned"),
        ))
        .await?;
    print_line(["what", "address", "median us", "unknown us", "apart", "p"]);
    for what in ["sign-in", "reset"] {
        for name in ["known", "provider", "banned"] {
            let times = interleave(server, what, name, pairs).await?;
            let (ours, theirs) = (median(&times.0), median(&times.1));
            print_line([
                what,
                name,
                &format!("{ours:.0}"),
                &format!("{theirs:.0}"),
                &format!("{:+.1} %", (ours / theirs - 1.0) * 100.0),
                &format!("{:.3}", mann_whitney(&times.0, &times.1)),
            ]);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn print_line(cells: [&str; 6]) {
    let [what, address, ours, theirs, apart, p] = cells;
    println!("| {what:<8} | {address:<9} | {ours:>9} | {theirs:>10} | {apart:>8} | {p:>6} |");
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

fn question(what: &str, name: &str) -> Vec<u8> {
    let email = address(name);
    let request = if what == "sign-in" {
        let body = json!({ "email": email, "password": "not this password" });
        Request::post(&format!("{API}/auth/signin"), &body)
    } else {
        let body = json!({ "email": email });
        Request::post(&format!("{API}/auth/password/forgot"), &body)
    };
    request.bytes()
}

/// Microseconds of `name` and of an unknown address.
async fn interleave(
    server: &Server,
    what: &str,
    name: &str,
    pairs: usize,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut client = Client::connect(server.port()).await?;
    let (known, unknown) = (question(what, name), question(what, "unknown"));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for pair in 0..WARM_UP + pairs {
        let (first, second) = if pair % 2 == 0 {
            let first = ask(&mut client, &known).await?;
            (first, ask(&mut client, &unknown).await?)
        } else {
            let second = ask(&mut client, &unknown).await?;
            (ask(&mut client, &known).await?, second)
        };
        if pair >= WARM_UP {
            ours.push(first);
            theirs.push(second);
        }
    }
    Ok((ours, theirs))
}

async fn ask(client: &mut Client, request: &[u8]) -> Result<f64> {
    let started = Instant::now();
    let answer = client.call(request).await;
    let time = started.elapsed();
    match answer {
        Err(error) if !error.to_string().starts_with("http/1.1 401") => Err(error),
        _ => Ok(time.as_secs_f64() * 1e6),
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The two-sided p value of the Mann-Whitney U test, by the normal approximation with its
/// correction for ties; good from 20 values a side.
fn mann_whitney(ours: &[f64], theirs: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = ours.iter().map(|&time| (time, true)).collect();
    all.extend(theirs.iter().map(|&time| (time, false)));
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (n, m) = (count(ours.len()), count(theirs.len()));
    let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0.0);
    for same in all.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let size = count(same.len());
        let first = count(same.iter().filter(|(_, is_ours)| *is_ours).count());
        rank_sum += first * (before + f64::midpoint(size, 1.0));
        ties += size.powi(3) - size;
        before += size;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    complementary_error(z / std::f64::consts::SQRT_2)
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests fits a f64")]
fn count(values: usize) -> f64 {
    values as f64
}

/// erfc for x >= 0, Abramowitz and Stegun 7.1.26: off by 1.5e-7 at most.
fn complementary_error(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let coefficients = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let polynomial = coefficients
        .iter()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    polynomial * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_tells_samples_apart() {
        let even: Vec<f64> = (0..200).map(|n| f64::from(n * 2)).collect();
        let odd: Vec<f64> = (0..200).map(|n| f64::from(n * 2 + 1)).collect();
        assert!(mann_whitney(&even, &odd) > 0.8);
        assert!(mann_whitney(&even, &even) > 0.99);
        let later: Vec<f64> = even.iter().map(|time| time + 100.0).collect();
        assert!(mann_whitney(&even, &later) < 1e-6);
        // From the statistic's definition: of 20 values each, U = 138 has z = 1.66, p = 0.096.
        assert!((complementary_error(1.66 / std::f64::consts::SQRT_2) - 0.0969).abs() < 1e-3);
    }
}
