//! API keys over HTTP.

use super::kv::{admin, program, with_secret};
use eyemotion_testkit::{Contract, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_key_is_made_listed_and_revoked() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let replica = app.replica();
    let body =
        json!({ "name": "Deployment", "scopes": ["kv:read"], "expiresAt": "2099-01-01T00:00:00Z" });
    let request = admin
        .request(Method::POST, "/api-keys")
        .header("idempotency-key", "once")
        .json(&body);
    let made = admin.send(request).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(
        secret.starts_with("eye_sk_") && secret.len() == 59,
        "{secret}"
    );
    let request = admin
        .request(Method::POST, "/api-keys")
        .header("idempotency-key", "once")
        .json(&body);
    let again = admin.send(request).await.expect(201);
    assert_eq!(again["apiKey"]["id"], made["apiKey"]["id"]);
    assert!(again.get("secret").is_none());

    let program = with_secret(&admin, secret);
    let there = replica.client(&program);
    assert_eq!(program.get("/kv/tests").await.status, 200);
    assert_eq!(there.get("/kv/tests").await.status, 200);
    let listed = admin.get("/api-keys").await.expect(200);
    let [key] = listed["apiKeys"].as_array().unwrap().as_slice() else {
        panic!("{listed}");
    };
    assert_eq!(key["userId"], admin.user());
    assert!(key["lastUsedAt"].is_string());
    assert!(!listed.to_string().contains(secret));

    let path = format!("/api-keys/{}", key["id"].as_str().unwrap());
    let revoked = admin.delete(&path).await.expect(200);
    assert!(revoked["apiKey"]["revokedAt"].is_string());
    let started = Instant::now();
    let refused = program.get("/kv/tests").await;
    assert_eq!(refused.problem(401), "api_key_invalid");
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    while there.get("/kv/tests").await.status != 401 {
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "it still works there"
        );
    }
    admin.delete(&path).await.expect(200);
    let nothing = format!("/api-keys/{}", admin.user());
    assert_eq!(
        admin.delete(&nothing).await.problem(404),
        "api_key_not_found"
    );

    let log = "SELECT action FROM activity_logs WHERE action LIKE 'api_key.%' ORDER BY created_at";
    let rows = app.database.admin().await.query(log, &[]).await.unwrap();
    let actions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(actions, ["api_key.created", "api_key.revoked"]);
}

/// The routes that take keys are listed here, so that no other begins to take them unnoticed.
#[tokio::test]
async fn a_key_with_every_scope_works_where_keys_are_taken_and_nowhere_else() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let every = ["kv:read", "kv:write", "flags:read", "flags:write"];
    let program = program(&admin, &every).await;
    let mut taken = Vec::new();
    for operation in &Contract::published().operations {
        if !operation.is_secured() {
            continue;
        }
        let url = operation.url(|_| uuid::Uuid::now_v7().to_string());
        let request = program
            .request(operation.method.clone(), &url)
            .header("content-type", "application/json")
            .body("{");
        let answer = program.send(request).await;
        if answer.status != 401 {
            assert_ne!(answer.status, 403, "{}: {}", operation.id, answer.body);
            taken.push(operation.id.as_str());
        }
    }
    taken.sort_unstable();
    let expected = [
        "deleteEntries",
        "deleteEntry",
        "getEntries",
        "getEntry",
        "getFlags",
        "listEntries",
        "setEntries",
        "setEntry",
        "updateFlags",
    ];
    assert_eq!(taken, expected);
}

#[tokio::test]
async fn a_key_counts_in_the_header_alone() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let program = program(&admin, &["kv:read"]).await;
    let secret = program.session.as_ref().unwrap().access_token.clone();
    let anonymous = app.anonymous();
    for name in ["apikey", "api_key", "access_token", "token"] {
        let path = format!("/kv/tests?{name}={secret}");
        assert_eq!(anonymous.get(&path).await.problem(401), "unauthenticated");
        assert_eq!(program.get(&path).await.status, 400, "{name}");
    }
    let header = anonymous
        .request(Method::GET, "/kv/tests")
        .header("apikey", &secret);
    assert_eq!(anonymous.send(header).await.problem(401), "unauthenticated");
    let body = json!({ "name": "x", "scopes": ["kv:read"], "secret": "mine" });
    assert_eq!(
        admin.post("/api-keys", &body).await.problem(422),
        "validation_failed"
    );
    let scope = json!({ "name": "x", "scopes": ["kv:read", "*"] });
    let refused = admin.post("/api-keys", &scope).await;
    assert_eq!(refused.problem(422), "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/scopes/1");
    let none: Value = admin.get("/api-keys?limit=1").await.expect(200);
    assert_eq!(none["apiKeys"].as_array().unwrap().len(), 1);
}
