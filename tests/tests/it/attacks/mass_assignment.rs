//! Members that nobody asked for, in every body: refused by name, and nothing changes.

use super::raise;
use crate::sweeps::{sample, state, unknown_id, url};
use eyemotion_testkit::{Contract, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;

/// What gives rights, money or somebody else's things, in both spellings.
fn extras() -> Vec<(&'static str, Value)> {
    let texts = ["role", "user_role", "userRole"].map(|name| (name, json!("super_admin")));
    let yes = [
        "is_admin",
        "isAdmin",
        "is_active",
        "isActive",
        "email_verified",
        "emailVerified",
        "is_anonymous",
    ]
    .map(|name| (name, json!(true)));
    let amounts = [
        "credits",
        "credits_remaining",
        "creditsRemaining",
        "extra_credits",
        "limit_bytes",
        "storageLimit",
        "aal",
        "version",
        "fileCount",
    ]
    .map(|name| (name, json!(1_000_000)));
    let ids = [
        "id", "user_id", "userId", "owner_id", "ownerId", "plan_id", "planId",
    ]
    .map(|name| (name, json!(unknown_id())));
    let moments = [
        "created_at",
        "createdAt",
        "banned_until",
        "bannedUntil",
        "deletedAt",
        "emailConfirmedAt",
    ]
    .map(|name| (name, json!("2099-01-01T00:00:00.000Z")));
    [&texts[..], &yes, &amounts, &ids, &moments].concat()
}

#[tokio::test]
async fn members_that_nobody_asked_for_are_refused_by_name() {
    let app = TestApp::start().await;
    let client = app.person().await;
    raise(&app, &client, "super_admin").await;
    let before = state(&app).await;
    let mut wrong = String::new();
    let mut swept = 0;
    for operation in &Contract::published().operations {
        let Some(schema) = operation.body() else {
            continue;
        };
        let known = &Contract::published().resolve(schema)["properties"];
        for (name, value) in extras() {
            if known.get(name).is_some() {
                continue;
            }
            swept += 1;
            let mut body = sample(schema);
            body[name] = value;
            let url = url(operation);
            let request = client.request(operation.method.clone(), &url).json(&body);
            let answer = client.send(request).await;
            let named = answer.body["errors"][0]["pointer"] == format!("/{name}");
            if answer.status != 422 || !named {
                writeln!(
                    wrong,
                    "{} {name}: {} {}",
                    operation.id, answer.status, answer.body
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(swept > 300, "{swept} bodies were sent");
    assert_eq!(state(&app).await, before);
}

/// Where members are the client's own, they mean nothing to the server.
#[tokio::test]
async fn what_a_client_keeps_for_itself_gives_no_rights() {
    let app = TestApp::start().await;
    let client = app.person().await;
    let own = json!({ "role": "super_admin", "credits": 1_000_000, "user_id": unknown_id() });
    let body = json!({ "preferences": own });
    let profile = client.put("/auth/profile", &body).await.expect(200)["profile"].clone();
    assert_eq!(
        (&profile["preferences"], &profile["role"]),
        (&own, &json!("user"))
    );
    let body = json!({ "name": "Mine", "settings": own });
    client.post("/projects", &body).await.expect(201);
    let me = client.get("/auth/me").await.expect(200)["user"].clone();
    assert_eq!(me["subscription"]["creditsRemaining"], 100);
    let listed = client.request(Method::GET, "/admin/users");
    assert_eq!(client.send(listed).await.problem(403), "forbidden");
}
