//! How often somebody may try, over HTTP.

use super::mailbox::letter;
use eyemotion_testkit::config::{Environment, LimitedClients};
use eyemotion_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A server that limits everybody and believes what its peer says of clients.
async fn behind_a_proxy() -> TestApp {
    TestApp::start_with(|settings| {
        settings.limits.clients = LimitedClients::All;
        settings.server.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await
}

async fn from(client: &Client, ip: &str, path: &str, body: &Value) -> Answer {
    let request = client
        .request(Method::POST, path)
        .header("x-forwarded-for", ip);
    client.send(request.json(body)).await
}

fn wrong(email: &str) -> Value {
    json!({ "email": email, "password": "wrong password" })
}

#[tokio::test]
async fn one_client_signs_in_ten_times_a_minute() {
    let app = behind_a_proxy().await;
    let anyone = app.anonymous();
    for left in (0..10).rev() {
        // Always another address, so that only the client is counted.
        let body = wrong(&format!("nobody{left}@example.com"));
        let answer = from(&anyone, "192.0.2.1", "/auth/signin", &body).await;
        assert_eq!(answer.problem(401), "invalid_credentials");
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"sign_in\";q=10;w=60")
        );
        let state = answer.header("ratelimit").unwrap();
        assert!(
            state.starts_with(&format!("\"sign_in\";r={left};t=")),
            "{state}"
        );
    }
    // Nothing of the request is looked at any more.
    let refused = from(&anyone, "192.0.2.1", "/auth/signin", &json!(5)).await;
    assert_eq!(refused.problem(429), "rate_limited");
    assert_eq!(refused.body["limiter"], "sign_in");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    assert!(
        refused
            .header("ratelimit")
            .unwrap()
            .starts_with("\"sign_in\";r=0;t=")
    );

    for (ip, path, status) in [
        ("192.0.2.2", "/auth/signin", 401),
        ("2001:db8::1", "/auth/signin", 401),
        ("192.0.2.1", "/auth/refresh", 401),
        ("192.0.2.1", "/auth/sign%69n", 429),
        ("192.0.2.1, 127.0.0.9", "/auth/signin", 429),
        ("198.51.100.7, 192.0.2.1", "/auth/signin", 429),
    ] {
        let body = if path == "/auth/refresh" {
            json!({ "refreshToken": "x" })
        } else {
            wrong("nobody@example.com")
        };
        let answer = from(&anyone, ip, path, &body).await;
        assert_eq!(answer.status, status, "{ip} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn registering_and_refreshing_are_limited_too() {
    let app = TestApp::start_with(|settings| {
        settings.limits.clients = LimitedClients::All;
        settings.limits.register_per_hour = 2;
        settings.limits.refresh_per_5_minutes = 3;
    })
    .await;
    let mut person = app.person().await;
    app.person().await;
    let body = json!({ "email": "more@example.com", "password": "correct horse", "fullName": "M" });
    let refused = person.signed_out().post("/auth/register", &body).await;
    assert_eq!(refused.problem(429), "rate_limited");
    assert_eq!(refused.body["limiter"], "register");
    for _ in 0..3 {
        let session = person.session.clone().unwrap();
        let body = json!({ "refreshToken": session.refresh_token });
        let answer = person.post("/auth/refresh", &body).await;
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"refresh\";q=3;w=300")
        );
        let next = answer.expect(200)["session"]["refreshToken"].clone();
        person.session.as_mut().unwrap().refresh_token = next.as_str().unwrap().to_owned();
    }
    let body = json!({ "refreshToken": person.session.clone().unwrap().refresh_token });
    let refused = person.post("/auth/refresh", &body).await;
    assert_eq!(refused.problem(429), "rate_limited");
    // What is not limited says nothing of limits.
    assert_eq!(person.get("/auth/me").await.header("ratelimit"), None);
}

#[tokio::test]
async fn a_client_cannot_name_itself_anew() {
    let app = TestApp::start_with(|settings| {
        settings.limits.clients = LimitedClients::All;
        settings.limits.sign_in_per_minute = 3;
        settings.server.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    })
    .await;
    let anyone = app.anonymous();
    let mut refused = 0;
    for number in 0..6 {
        let ip = format!("198.51.{number}.1");
        let request = anyone
            .request(Method::POST, "/auth/signin")
            .header("x-forwarded-for", &ip)
            .header("x-real-ip", &ip)
            .header("forwarded", format!("for={ip}"));
        let body = wrong(&format!("nobody{number}@example.com"));
        let answer = anyone.send(request.json(&body)).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn in_development_this_machine_is_not_limited() {
    let failures = async |app: &TestApp| {
        let anyone = app.anonymous();
        let mut statuses = Vec::new();
        for _ in 0..12 {
            let answer = anyone.post("/auth/signin", &wrong("a@example.com")).await;
            assert_eq!(answer.status == 429, answer.header("retry-after").is_some());
            statuses.push(answer.status);
        }
        statuses
    };
    let app = TestApp::start().await;
    assert_eq!(failures(&app).await, [401; 12]);
    let app = TestApp::start_with(|settings| {
        settings.server.environment = Environment::Production;
    })
    .await;
    let statuses = failures(&app).await;
    assert_eq!((statuses[0], statuses[11]), (401, 429));
}

#[tokio::test]
async fn wrong_passwords_hold_an_address_back_whether_it_is_known_or_not() {
    let app = behind_a_proxy().await;
    let anyone = app.anonymous();
    let owner = app.register("known@example.com").await;
    let mut told = Vec::new();
    for email in ["known@example.com", "unknown@example.com"] {
        for number in 0..5 {
            let ip = format!("203.0.{number}.1");
            let answer = from(&anyone, &ip, "/auth/signin", &wrong(email)).await;
            assert_eq!(answer.problem(401), "invalid_credentials");
        }
        let right = json!({ "email": email, "password": "correct horse" });
        let refused = from(&anyone, "192.0.2.1", "/auth/signin", &right).await;
        assert_eq!(refused.problem(429), "rate_limited");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((880..=900).contains(&wait), "{wait}");
        let mut body = refused.body.clone();
        body["requestId"] = Value::Null;
        let headers = refused.headers.keys().map(ToString::to_string);
        let headers: BTreeSet<String> = headers.collect();
        told.push((body, headers));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].0["limiter"], "sign_in_account");

    // The owner's device is not held back by what others try.
    let right = json!({ "email": "known@example.com", "password": "correct horse" });
    let answer = from(&owner, "192.0.2.1", "/auth/signin", &right).await;
    answer.expect(200);
}

#[tokio::test]
async fn a_new_password_by_mail_lets_the_owner_in_at_once() {
    let app = behind_a_proxy().await;
    let anyone = app.anonymous();
    let email = "known@example.com";
    app.register(email).await;
    for number in 0..5 {
        let ip = format!("203.0.{number}.1");
        let answer = from(&anyone, &ip, "/auth/signin", &wrong(email)).await;
        assert_eq!(answer.problem(401), "invalid_credentials");
    }
    let home = "192.0.2.1";
    let asked = json!({ "email": email });
    let answer = from(&anyone, home, "/auth/password/forgot", &asked).await;
    answer.expect(200);
    let new = "another good horse";
    let reset = json!({ "token": letter(&app, email, 1).await.token(), "password": new });
    let answer = from(&anyone, home, "/auth/password/reset", &reset).await;
    answer.expect(200);
    let right = json!({ "email": email, "password": new });
    let answer = from(&anyone, home, "/auth/signin", &right).await;
    answer.expect(200);
}
