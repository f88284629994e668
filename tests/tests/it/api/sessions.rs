//! Sessions over HTTP: listed, ended, renewed, stolen.

use eyemotion_testkit::{Answer, Client, TestApp};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

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

/// The clock is the machine's here, so the session's past is moved instead.
async fn turn_back(app: &TestApp, column: &str, by: &str) {
    let sql = format!("UPDATE auth.sessions SET {column} = {column} - interval '{by}'");
    app.database
        .admin()
        .await
        .batch_execute(&sql)
        .await
        .unwrap();
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
    let rest = second.get(&format!("/auth/sessions?limit=1&cursor={cursor}"));
    assert_eq!(rest.await.expect(200)["sessions"][0], sessions[1]);

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
    let answer = d.delete("/auth/sessions").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn signing_out_twice_or_late_is_signing_out() {
    let app = TestApp::start_with(|settings| settings.auth.access_ttl_secs = 60).await;
    let first = app.register(EMAIL).await;
    let second = sign_in(&app).await;
    for _ in 0..2 {
        first.post("/auth/signout", &json!({})).await.expect(200);
    }
    let mut nobody = app.anonymous();
    let refused = nobody.post("/auth/signout", &json!({})).await;
    assert_eq!(refused.problem(401), "unauthenticated");
    nobody.session.clone_from(&second.session);
    nobody.session.as_mut().unwrap().access_token.push('x');
    let refused = nobody.post("/auth/signout", &json!({})).await;
    assert_eq!(refused.problem(401), "token_invalid");
    second.get("/auth/me").await.expect(200);
}

#[tokio::test]
async fn fifty_refreshes_at_once_have_one_successor() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let answers = join_all((0..50).map(|_| refresh(&person))).await;
    let successors: HashSet<Value> = answers
        .into_iter()
        .map(|answer| answer.expect(200)["session"]["refreshToken"].clone())
        .collect();
    assert_eq!(successors.len(), 1);

    // An answer that was lost can be had again.
    let again = refresh(&person).await.expect(200)["session"]["refreshToken"].clone();
    assert_eq!(Some(&again), successors.iter().next());
    turn_back(&app, "rotated_at", "9 seconds").await;
    let again = refresh(&person).await.expect(200)["session"]["refreshToken"].clone();
    assert_eq!(Some(&again), successors.iter().next());
}

#[tokio::test]
async fn nobody_refreshes_who_may_not() {
    let app = TestApp::start().await;
    for (why, sql) in [
        (
            "banned",
            "UPDATE auth.users SET banned_until = now() + interval '1 hour'",
        ),
        ("deleted", "UPDATE auth.users SET deleted_at = now()"),
        ("revoked", "UPDATE auth.sessions SET revoked_at = now()"),
        (
            "idle for 30 days",
            "UPDATE auth.sessions SET idle_expires_at = idle_expires_at - interval '30 days'",
        ),
        (
            "90 days old",
            "UPDATE auth.sessions SET expires_at = expires_at - interval '90 days'",
        ),
    ] {
        let person = app.person().await;
        let email = person.get("/auth/me").await.expect(200)["user"]["id"].clone();
        refresh(&person).await.expect(200);
        let owner = if sql.contains("auth.users") {
            "id"
        } else {
            "user_id"
        };
        let sql = format!("{sql} WHERE {owner} = '{}'", email.as_str().unwrap());
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
async fn a_fresh_proof_is_the_password() {
    let app = TestApp::start().await;
    let person = app.register(EMAIL).await;
    turn_back(&app, "authenticated_at", "1 hour").await;
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
