//! Feature flags over HTTP, and what they switch off.

use super::kv::{admin, program};
use eyemotion_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn switch(client: &Client, flags: Value) {
    client.put("/admin/flags", &flags).await.expect(200);
}

fn disabled(answer: &Answer, flag: &str) {
    assert_eq!(answer.problem(503), "feature_disabled");
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(answer.body["feature"], flag);
}

#[tokio::test]
async fn what_is_off_answers_503_and_shows_in_health() {
    let app = TestApp::start().await;
    let (admin, person) = (admin(&app).await, app.person().await);
    let project = person
        .post("/projects", &json!({ "name": "Mine" }))
        .await
        .expect(201);
    let files = format!(
        "/projects/{}/files",
        project["project"]["id"].as_str().unwrap()
    );
    assert_eq!(person.get(&files).await.status, 200);
    let all_off = json!({
        "paymentsEnabled": false, "storageEnabled": false, "analyticsEnabled": false, "backupEnabled": false,
    });
    switch(&admin, all_off).await;
    disabled(&person.get(&files).await, "storageEnabled");
    disabled(&admin.get(&files).await, "storageEnabled");
    disabled(&person.get("/payments/plans").await, "paymentsEnabled");
    disabled(
        &app.anonymous().get("/payments/plans").await,
        "paymentsEnabled",
    );
    // No spelling gets round it.
    let plans = person.request(Method::GET, "/%70ayments/plans");
    assert_eq!(person.send(plans).await.problem(503), "feature_disabled");
    for alias in ["make-server-7dc8476e", "functions/v1/make-server-7dc8476e"] {
        let plans = person.get(&format!("//{alias}/payments/plans")).await;
        assert_eq!(plans.problem(503), "feature_disabled");
    }
    assert_eq!(person.get("/projects").await.status, 200);
    assert_eq!(person.get("/auth/me").await.status, 200);
    let health = app.anonymous().get("/health").await.expect(200);
    let features = json!({
        "authEnabled": true, "paymentsEnabled": false, "storageEnabled": false,
        "analyticsEnabled": false, "backupEnabled": false,
    });
    assert_eq!(health["features"], features);
    assert_eq!(health["components"]["kv_store"]["status"], "healthy");

    switch(
        &admin,
        json!({ "storageEnabled": true, "paymentsEnabled": null }),
    )
    .await;
    assert_eq!(person.get(&files).await.status, 200);
    assert_eq!(person.get("/payments/plans").await.status, 200);
    let flags = admin.get("/admin/flags").await.expect(200)["flags"].clone();
    assert_eq!(flags["storageEnabled"], true);
    assert_eq!(flags["backupEnabled"], false);
}

#[tokio::test]
async fn with_accounts_off_nobody_gets_in_and_whoever_is_in_may_stay_and_leave() {
    let app = TestApp::start().await;
    let (admin, person) = (admin(&app).await, app.person().await);
    let keeper = program(&admin, &["flags:write"]).await;
    switch(&admin, json!({ "authEnabled": false })).await;

    let sign_in = json!({ "email": "person1@example.com", "password": "correct horse" });
    let anonymous = app.anonymous();
    let sessions = live_sessions(&app).await;
    disabled(
        &anonymous.post("/auth/signin", &sign_in).await,
        "authEnabled",
    );
    assert_eq!(live_sessions(&app).await, sessions, "nobody got in");
    let wrong = json!({ "email": "person1@example.com", "password": "wrong horse" });
    assert_eq!(anonymous.post("/auth/signin", &wrong).await.status, 401);
    let register =
        json!({ "email": "new@example.com", "password": "correct horse", "fullName": "New" });
    disabled(
        &anonymous.post("/auth/register", &register).await,
        "authEnabled",
    );
    disabled(&person.get("/auth/me").await, "authEnabled");
    assert_eq!(person.get("/projects").await.status, 200);
    let token = &person.session.as_ref().unwrap().refresh_token;
    let refresh = json!({ "refreshToken": token });
    assert_eq!(anonymous.post("/auth/refresh", &refresh).await.status, 200);
    assert_eq!(person.post("/auth/signout", &json!({})).await.status, 200);

    // The ways back: an admin who is signed in or signs in, or a key.
    assert_eq!(admin.get("/auth/me").await.status, 200);
    let mut returning = app.anonymous();
    let as_admin = json!({ "email": "person0@example.com", "password": "correct horse" });
    let answer = anonymous.post("/auth/signin", &as_admin).await.expect(200);
    returning.take_session(&answer);
    switch(&returning, json!({ "authEnabled": false })).await;
    switch(&keeper, json!({ "authEnabled": true })).await;
    assert_eq!(anonymous.post("/auth/signin", &sign_in).await.status, 200);
}

async fn live_sessions(app: &TestApp) -> i64 {
    let sql = "SELECT count(*) FROM auth.sessions WHERE revoked_at IS NULL";
    let row = app.database.admin().await.query_one(sql, &[]).await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn a_rule_is_for_whom_it_names() {
    let app = TestApp::start().await;
    let (admin, named, other) = (admin(&app).await, app.person().await, app.person().await);
    let status = async |client: &Client| client.get("/payments/subscription").await.status;
    let users = json!({ "enabled": true, "users": [named.user()] });
    switch(&admin, json!({ "paymentsEnabled": users })).await;
    assert_eq!((status(&named).await, status(&other).await), (200, 503));
    assert_eq!(app.anonymous().get("/payments/plans").await.status, 200);
    let shown = admin.get("/admin/flags").await.expect(200);
    assert_eq!(shown["flags"]["paymentsEnabled"], users);

    let plans = json!({ "enabled": true, "plans": ["studio"] });
    switch(&admin, json!({ "paymentsEnabled": plans })).await;
    assert_eq!((status(&named).await, status(&other).await), (503, 503));
    let plans = json!({ "enabled": true, "plans": ["freemium"], "percentage": 100 });
    switch(&admin, json!({ "paymentsEnabled": plans })).await;
    assert_eq!((status(&named).await, status(&other).await), (200, 200));
    switch(
        &admin,
        json!({ "paymentsEnabled": { "enabled": true, "percentage": 0 } }),
    )
    .await;
    assert_eq!((status(&named).await, status(&other).await), (503, 503));
}

#[tokio::test]
async fn a_change_reaches_the_other_replica_within_a_second() {
    let app = TestApp::start().await;
    let (admin, person) = (admin(&app).await, app.person().await);
    let replica = app.replica();
    let there = replica.client(&person);
    for n in 0..20 {
        let on = n % 2 == 1;
        switch(&admin, json!({ "paymentsEnabled": on })).await;
        let expected = if on { 200 } else { 503 };
        assert_eq!(person.get("/payments/plans").await.status, expected);
        let started = Instant::now();
        while there.get("/payments/plans").await.status != expected {
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "it is not seen there"
            );
        }
    }
}

#[tokio::test]
async fn nonsense_is_refused_and_a_change_is_in_the_log() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    for (body, pointer) in [
        (json!({ "moonEnabled": true }), "/moonEnabled"),
        (json!({ "authEnabled": "no" }), "/authEnabled"),
        (
            json!({ "authEnabled": { "percentage": 5 } }),
            "/authEnabled/enabled",
        ),
        (
            json!({ "authEnabled": { "enabled": true, "percentage": 500 } }),
            "/authEnabled/percentage",
        ),
    ] {
        let refused = admin.put("/admin/flags", &body).await;
        assert_eq!(refused.problem(422), "validation_failed", "{body}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    switch(&admin, json!({ "authEnabled": true })).await;
    let log =
        "SELECT user_id::text, details::text FROM activity_logs WHERE action = 'flags.changed'";
    let rows = app.database.admin().await.query(log, &[]).await.unwrap();
    assert_eq!(rows.len(), 1, "what was refused is not noted");
    assert_eq!(rows[0].get::<_, String>(0), admin.user());
    let details: Value = serde_json::from_str(rows[0].get(1)).unwrap();
    assert_eq!(
        details,
        json!({ "before": {}, "after": { "authEnabled": true } })
    );
}
