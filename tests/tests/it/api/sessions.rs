//! Sessions over HTTP: listed, ended, renewed, stolen.

use chrono::{SubsecRound, TimeDelta, Utc};
use eyemotion_core::ManualClock;
use eyemotion_testkit::{Answer, Client, TestApp};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const EMAIL: &str = "person@example.com";

async fn sign_in(app: &TestApp) -> Client {
    let mut client = app.anonymous();
    let body = json!({ "email": EMAIL, "password": "correct horse" });
    let answer = client.post("/auth/signin", &body).await.expect(200);
    client.take_session(&answer);
    client
}

async fn refresh(client: &Client) -> Answer {
    let token = &client.session.as_ref().unwrap().refresh_token;
    let body = json!({ "refreshToken": token });
    client.signed_out().post("/auth/refresh", &body).await
}

async fn statuses(clients: [&Client; 3]) -> [u16; 3] {
    let mut statuses = [0; 3];
    for (status, client) in statuses.iter_mut().zip(clients) {
        *status = client.get("/auth/me").await.status;
    }
    statuses
}

/// A server with a clock that the test moves.
async fn with_clock() -> (TestApp, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Utc::now().trunc_subsecs(6)));
    let app = TestApp::start_at(clock.clone(), |_| {}).await;
    (app, clock)
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it() {
    let app = TestApp::start().await;
    let first = app.register(EMAIL).await;
    let second = sign_in(&app).await;
    let listed = second.get("/auth/sessions").await.expect(200);
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["current"], true);
    assert_eq!(sessions[1]["current"], false);
    assert_eq!(sessions[0]["ip"], "127.0.0.1");
    assert!(sessions[0]["device"].is_string());
    let page = second.get("/auth/sessions?limit=1").await.expect(200);
    let cursor = page["nextCursor"].as_str().unwrap();
    let rest = format!("/auth/sessions?limit=1&cursor={cursor}");
    let rest = second.get(&rest).await.expect(200);
    assert_eq!(rest["sessions"][0], sessions[1]);

    let path = format!("/auth/sessions/{}", sessions[1]["id"].as_str().unwrap());
    let stranger = app.person().await;
    let refused = stranger.delete(&path).await;
    assert_eq!(refused.problem(404), "session_not_found");
    second.delete(&path).await.expect(200);
    let refused = second.delete(&path).await;
    assert_eq!(refused.problem(404), "session_not_found");
    assert_eq!(first.get("/auth/me").await.problem(401), "session_ended");
    assert_eq!(refresh(&first).await.problem(401), "refresh_token_invalid");
    second.get("/auth/me").await.expect(200);
}

#[tokio::test]
async fn signing_out_reaches_as_far_as_was_asked() {
    let app = TestApp::start().await;
    let [a, b, c] = [
        app.register(EMAIL).await,
        sign_in(&app).await,
        sign_in(&app).await,
    ];
    let all = [&a, &b, &c];
    a.post("/auth/signout", &json!({})).await.expect(200);
    assert_eq!(statuses(all).await, [401, 200, 200]);
    let others = b.delete("/auth/sessions?scope=others").await.expect(200);
    assert_eq!(others["ended"], 1);
    assert_eq!(statuses(all).await, [401, 200, 401]);
    let d = sign_in(&app).await;
    b.send(b.request(Method::POST, "/auth/signout?scope=global"))
        .await
        .expect(200);
    assert_eq!(statuses([&b, &c, &d]).await, [401; 3]);
    for (path, status) in [
        ("/auth/signout?scope=all", 400),
        ("/auth/signout?scop=global", 400),
    ] {
        let answer = d.send(d.request(Method::POST, path)).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let refused = d.delete("/auth/sessions?scope=others").await;
    assert_eq!(refused.problem(401), "session_ended");
}

#[tokio::test]
async fn signing_out_twice_or_late_is_signing_out() {
    let (app, clock) = with_clock().await;
    let first = app.register(EMAIL).await;
    let second = sign_in(&app).await;
    for scope in ["local", "global"] {
        let path = format!("/auth/signout?scope={scope}");
        first.post(&path, &json!({})).await.expect(200);
        // Nor does a session that has ended sign out others.
        assert_eq!(statuses([&first, &second, &second]).await, [401, 200, 200]);
    }
    let mut nobody = app.anonymous();
    let refused = nobody.post("/auth/signout", &json!({})).await;
    assert_eq!(refused.problem(401), "unauthenticated");
    nobody.session.clone_from(&second.session);
    nobody.session.as_mut().unwrap().access_token.push('x');
    let refused = nobody.post("/auth/signout", &json!({})).await;
    assert_eq!(refused.problem(401), "token_invalid");

    // An expired token signs its own session out and no other.
    clock.advance(TimeDelta::hours(1));
    let third = sign_in(&app).await;
    assert_eq!(second.get("/auth/me").await.problem(401), "token_expired");
    let path = "/auth/signout?scope=global";
    second.post(path, &json!({})).await.expect(200);
    assert_eq!(refresh(&second).await.problem(401), "refresh_token_invalid");
    third.get("/auth/me").await.expect(200);
}

#[tokio::test]
async fn fifty_refreshes_at_once_have_one_successor() {
    let (app, clock) = with_clock().await;
    let person = app.person().await;
    let answers = join_all((0..50).map(|_| refresh(&person))).await;
    let successors: HashSet<Value> = answers
        .into_iter()
        .map(|answer| answer.expect(200)["session"]["refreshToken"].clone())
        .collect();
    assert_eq!(successors.len(), 1);

    // An answer that was lost can be had again.
    clock.advance(TimeDelta::seconds(10));
    let again = refresh(&person).await.expect(200)["session"]["refreshToken"].clone();
    assert_eq!(Some(&again), successors.iter().next());
}

#[tokio::test]
async fn a_token_used_twice_ends_the_session_everywhere_within_a_second() {
    let (app, clock) = with_clock().await;
    let replica = app.replica();
    let mut person = app.register(EMAIL).await;
    let thief = person.clone();
    let answer = refresh(&person).await.expect(200);
    let next = |name: &str| answer["session"][name].as_str().unwrap().to_owned();
    let session = person.session.as_mut().unwrap();
    session.access_token = next("accessToken");
    session.refresh_token = next("refreshToken");
    let elsewhere = replica.client(&person);
    // Both have it in memory now.
    assert_eq!(statuses([&person, &elsewhere, &thief]).await, [200; 3]);

    clock.advance(TimeDelta::seconds(11));
    assert_eq!(refresh(&thief).await.problem(401), "refresh_token_invalid");
    let replayed = Instant::now();
    assert_eq!(person.get("/auth/me").await.problem(401), "session_ended");
    let mut answer = elsewhere.get("/auth/me").await;
    while answer.status == 200 {
        // A second, and as much again for a busy machine.
        assert!(replayed.elapsed() < Duration::from_secs(2), "still alive");
        tokio::task::yield_now().await;
        answer = elsewhere.get("/auth/me").await;
    }
    assert_eq!(answer.problem(401), "session_ended");
    assert_eq!(refresh(&person).await.problem(401), "refresh_token_invalid");
    let told = "SELECT (SELECT count(*) FROM activity_logs WHERE action = 'session.revoked'),
        (SELECT count(*) FROM mail_outbox WHERE template = 'session_reuse_detected')";
    let admin = app.database.admin().await;
    let row = admin.query_one(told, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
    replica.stop().await;
}

#[tokio::test]
async fn nobody_refreshes_who_may_not() {
    let app = TestApp::start().await;
    for (why, change) in [
        (
            "banned",
            "users SET banned_until = now() + interval '1 hour' WHERE id",
        ),
        ("deleted", "users SET deleted_at = now() WHERE id"),
        ("revoked", "sessions SET revoked_at = now() WHERE user_id"),
    ] {
        let person = app.person().await;
        refresh(&person).await.expect(200);
        let sql = format!("UPDATE auth.{change} = '{}'", person.user());
        app.database
            .admin()
            .await
            .batch_execute(&sql)
            .await
            .unwrap();
        let refused = refresh(&person).await;
        assert_eq!(refused.problem(401), "refresh_token_invalid", "{why}");
    }
}

#[tokio::test]
async fn a_session_lives_thirty_idle_days_and_ninety_at_most() {
    let (app, clock) = with_clock().await;
    let mut busy = app.register(EMAIL).await;
    for _ in 0..3 {
        clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        let answer = refresh(&busy).await.expect(200);
        let next = answer["session"]["refreshToken"].as_str().unwrap();
        next.clone_into(&mut busy.session.as_mut().unwrap().refresh_token);
    }
    clock.advance(TimeDelta::seconds(4));
    assert_eq!(refresh(&busy).await.problem(401), "refresh_token_invalid");

    let idle = sign_in(&app).await;
    clock.advance(TimeDelta::days(30));
    assert_eq!(refresh(&idle).await.problem(401), "refresh_token_invalid");
}

#[tokio::test]
async fn a_fresh_proof_is_the_password() {
    let (app, clock) = with_clock().await;
    let person = app.register(EMAIL).await;
    clock.advance(TimeDelta::seconds(300));
    let before = person.get("/auth/sessions").await.expect(200);
    let wrong = json!({ "password": "wrong password" });
    let refused = person.post("/auth/reauthenticate", &wrong).await;
    assert_eq!(refused.problem(401), "invalid_credentials");
    let right = json!({ "password": "correct horse" });
    let proved = person
        .post("/auth/reauthenticate", &right)
        .await
        .expect(200);
    let after = person.get("/auth/sessions").await.expect(200);
    let at = |answer: &Value| answer["sessions"][0]["authenticatedAt"].clone();
    assert_eq!(at(&after), proved["authenticatedAt"]);
    assert_ne!(at(&after), at(&before));
}
