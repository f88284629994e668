//! The key-value store over HTTP: for admins, and for programs with a key.

use crate::attacks::raise;
use eyemotion_testkit::{Answer, Client, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;

/// An admin.
pub(super) async fn admin(app: &TestApp) -> Client {
    let client = app.person().await;
    raise(app, &client, "admin").await;
    client
}

/// A program with a key that has these scopes.
pub(super) async fn program(admin: &Client, scopes: &[&str]) -> Client {
    let body = json!({ "name": "A program", "scopes": scopes });
    let made = admin.post("/api-keys", &body).await.expect(201);
    with_secret(admin, made["secret"].as_str().unwrap())
}

/// Somebody who sends this instead of an access token.
pub(super) fn with_secret(client: &Client, secret: &str) -> Client {
    let session = Session {
        user: String::new(),
        access_token: secret.to_owned(),
        refresh_token: String::new(),
    };
    let mut client = client.clone();
    client.session = Some(session);
    client
}

fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        write!(text, "%{byte:02X}").unwrap();
    }
    text
}

async fn put_if(client: &Client, path: &str, header: (&str, &str), value: Value) -> Answer {
    let request = client
        .request(Method::PUT, path)
        .header(header.0, header.1)
        .json(&json!({ "value": value }));
    client.send(request).await
}

#[tokio::test]
async fn an_entry_is_set_read_and_deleted() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let path = "/kv/tests/a";
    assert_eq!(admin.get(path).await.problem(404), "entry_not_found");
    let body = json!({ "value": { "n": 1 }, "ttlSeconds": 3600 });
    let stored = admin.put(path, &body).await;
    let tag = stored.header("etag").unwrap().to_owned();
    let entry = stored.expect(200)["entry"].clone();
    assert_eq!(entry["namespace"], "tests");
    assert_eq!(
        (&entry["key"], &entry["value"]),
        (&json!("a"), &json!({ "n": 1 }))
    );
    assert_eq!(tag, format!("\"{}\"", entry["version"]));
    assert!(entry["expiresAt"].is_string());
    let read = admin.get(path).await;
    assert_eq!(read.header("etag"), Some(tag.as_str()));
    assert_eq!(read.expect(200)["entry"], entry);

    let mismatch = put_if(&admin, path, ("if-match", "\"1\""), json!(2)).await;
    assert_eq!(mismatch.problem(412), "version_mismatch");
    assert_eq!(mismatch.body["currentVersion"], entry["version"]);
    let taken = put_if(&admin, path, ("if-none-match", "*"), json!(2)).await;
    assert_eq!(taken.problem(412), "version_mismatch");
    let changed = put_if(&admin, path, ("if-match", &tag), json!(null)).await;
    assert_eq!(changed.expect(200)["entry"]["value"], Value::Null);
    for (name, value) in [("if-match", "1"), ("if-none-match", "\"1\"")] {
        let answer = put_if(&admin, path, (name, value), json!(2)).await;
        assert_eq!(answer.problem(422), "validation_failed", "{name}");
    }
    let request = admin.request(Method::DELETE, path).header("if-match", &tag);
    assert_eq!(admin.send(request).await.problem(412), "version_mismatch");
    admin.delete(path).await.expect(200);
    assert_eq!(admin.delete(path).await.problem(404), "entry_not_found");
    let made = put_if(&admin, path, ("if-none-match", "*"), json!(2)).await;
    assert_eq!(made.status, 200);
    let only_if_there = put_if(&admin, "/kv/tests/b", ("if-match", "*"), json!(2)).await;
    assert_eq!(only_if_there.problem(412), "version_mismatch");
}

#[tokio::test]
async fn any_key_gets_through() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let longest = "ก".repeat(512);
    let keys = [
        "features/flags",
        "a b",
        "100%",
        "a%2Fb",
        "%",
        "+",
        "a+b",
        "?x=1#y",
        "mget",
        "mset",
        "//",
        "/",
        "a/",
        "\\",
        "\"",
        "\u{1}\n\t",
        "กข\u{10ffff}",
        "{key}",
        "..x",
        &longest,
    ];
    for (n, key) in keys.into_iter().enumerate() {
        let path = format!("/kv/tests/{}", encoded(key));
        let body = json!({ "value": n });
        let stored = admin.put(&path, &body).await.expect(200);
        assert_eq!(stored["entry"]["key"], key);
        let read = admin.get(&path).await.expect(200);
        assert_eq!(read["entry"]["value"], n, "{key:?}");
    }
    // These two no client leaves in a path.
    let dots = json!({ "entries": [{ "key": ".", "value": 1 }, { "key": "..", "value": 2 }] });
    admin.post("/kv/tests/mset", &dots).await.expect(200);
    let keys = json!({ "keys": ["..", ".", "..."] });
    let read = admin.post("/kv/tests/mget", &keys).await.expect(200);
    assert_eq!(read["entries"][0]["value"], 2);
    assert_eq!(read["entries"][2], Value::Null);
    let deleted = admin.post("/kv/tests/mdel", &keys).await.expect(200);
    assert_eq!(deleted["deleted"], 2);

    let nul = admin.get("/kv/tests/a%00b").await;
    assert_eq!(nul.problem(422), "validation_failed");
    let broken = admin.get("/kv/tests/%25FF").await;
    assert_eq!(broken.problem(404), "entry_not_found");
    let too_long = format!("/kv/tests/{}", "a".repeat(513));
    assert_eq!(admin.get(&too_long).await.problem(422), "validation_failed");
    let namespace = admin.get("/kv/a%20b/c").await;
    assert_eq!(namespace.body["errors"][0]["pointer"], "namespace");
}

#[tokio::test]
async fn a_prefix_is_taken_literally_and_paged() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let keys = ["a%1", "a%2", "a%3", "a1", "a_1", "b"];
    let entries: Vec<Value> = keys
        .iter()
        .map(|key| json!({ "key": key, "value": key }))
        .collect();
    let body = json!({ "entries": entries });
    admin.post("/kv/tests/mset", &body).await.expect(200);
    let page = admin.get("/kv/tests?prefix=a%25&limit=2").await.expect(200);
    assert_eq!(page["entries"][1]["value"], "a%2");
    let cursor = page["nextCursor"].as_str().unwrap();
    let rest = admin
        .get(&format!("/kv/tests?prefix=a%25&limit=2&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(rest["entries"].as_array().unwrap().len(), 1);
    assert_eq!(rest["entries"][0]["key"], "a%3");
    assert!(rest.get("nextCursor").is_none());
    let all = admin.get("/kv/tests").await.expect(200);
    assert_eq!(all["entries"].as_array().unwrap().len(), 6);
    for query in ["limit=0", "limit=101", "cursor=!", "prefix=a%00"] {
        let answer = admin.get(&format!("/kv/tests?{query}")).await;
        assert_eq!(answer.problem(422), "validation_failed", "{query}");
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let one = json!({ "value": 1 });
    admin.put("/kv/tests/a", &one).await.expect(200);
    let reader = program(&admin, &["kv:read"]).await;
    let writer = program(&admin, &["kv:write:tests"]).await;
    let flags = program(&admin, &["flags:read", "kv:write"]).await;

    assert_eq!(reader.get("/kv/tests/a").await.status, 200);
    assert_eq!(reader.get("/kv/tests").await.status, 200);
    let keys = json!({ "keys": ["a"] });
    assert_eq!(reader.post("/kv/tests/mget", &keys).await.status, 200);
    let lacking = reader.put("/kv/tests/a", &one).await;
    assert_eq!(lacking.problem(403), "insufficient_scope");
    assert!(
        lacking.body["detail"]
            .as_str()
            .unwrap()
            .contains("kv:write:tests")
    );
    for refused in [
        reader.delete("/kv/tests/a").await,
        reader.post("/kv/tests/mdel", &keys).await,
        reader.get("/kv/system/a").await,
        reader.get("/admin/flags").await,
        writer.get("/kv/tests/a").await,
        writer.put("/kv/other/a", &one).await,
        flags.put("/kv/system/a", &one).await,
        flags
            .put("/admin/flags", &json!({ "authEnabled": false }))
            .await,
        // The store's scope is not the flags' scope, whichever way they are written.
        flags
            .put("/kv/default/features:flags", &json!({ "value": {} }))
            .await,
        flags.delete("/kv/default/features%3Aflags").await,
        flags
            .post(
                "/kv/default/mset",
                &json!({ "entries": [{ "key": "features:flags", "value": {} }] }),
            )
            .await,
        flags
            .post("/kv/default/mdel", &json!({ "keys": ["features:flags"] }))
            .await,
    ] {
        assert_eq!(refused.problem(403), "insufficient_scope");
    }
    assert_eq!(writer.put("/kv/tests/a", &one).await.status, 200);
    assert_eq!(flags.get("/admin/flags").await.status, 200);
    assert_eq!(flags.put("/kv/default/x", &one).await.status, 200);
    let both = program(&admin, &["flags:write", "kv:write"]).await;
    let off = json!({ "value": { "backupEnabled": false } });
    assert_eq!(
        both.put("/kv/default/features:flags", &off).await.status,
        200
    );

    // The log says which key it was.
    let log = "SELECT details->>'actor' FROM activity_logs
               WHERE action = 'kv.set' AND resource_id = 'default/x'";
    let rows = app.database.admin().await.query(log, &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].get::<_, String>(0).starts_with("api_key:"));
}

#[tokio::test]
async fn people_are_not_let_in() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let keys = json!({ "keys": ["a"] });
    for refused in [
        person.get("/kv/tests/a").await,
        person.get("/kv/tests").await,
        person.put("/kv/tests/a", &json!({ "value": 1 })).await,
        person.delete("/kv/tests/a").await,
        person.post("/kv/tests/mget", &keys).await,
        person.post("/kv/tests/mdel", &keys).await,
        person.get("/admin/flags").await,
        person.put("/admin/flags", &json!({})).await,
        person.get("/api-keys").await,
        person
            .post("/api-keys", &json!({ "name": "x", "scopes": ["kv:read"] }))
            .await,
    ] {
        assert_eq!(refused.problem(403), "forbidden");
    }
    assert_eq!(
        app.anonymous().get("/kv/tests/a").await.problem(401),
        "unauthenticated"
    );
}
