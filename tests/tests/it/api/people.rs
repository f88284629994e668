//! What operators do to people, over HTTP: it holds for tokens that are out already, everywhere.

use crate::api::mailbox::letter;
use crate::attacks::raise;
use eyemotion_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn operator(app: &TestApp, role: &str) -> Client {
    let client = app.person().await;
    raise(app, &client, role).await;
    client
}

fn path(person: &Client, end: &str) -> String {
    format!("/admin/users/{}{end}", person.user())
}

async fn give(by: &Client, to: &Client, role: &str) -> Answer {
    by.put(&path(to, "/role"), &json!({ "role": role })).await
}

/// Asks until the answer is `status`: for a second, and as much again for a busy machine.
async fn within_a_second(client: &Client, path: &str, status: u16) -> Answer {
    let asked = Instant::now();
    loop {
        let answer = client.get(path).await;
        if answer.status == status {
            return answer;
        }
        assert!(asked.elapsed() < Duration::from_secs(2), "{answer:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_role_holds_at_once_for_tokens_that_are_out() {
    let app = TestApp::start().await;
    let replica = app.replica();
    let root = operator(&app, "super_admin").await;
    let person = app.register("person@example.com").await;
    let elsewhere = replica.client(&person);
    for client in [&person, &elsewhere] {
        let refused = client.get("/admin/users").await;
        assert_eq!(refused.problem(403), "forbidden");
    }
    let raised = give(&root, &person, "admin").await.expect(200);
    assert_eq!(raised["user"]["role"], "admin");
    assert_eq!(person.get("/admin/users").await.status, 200);
    within_a_second(&elsewhere, "/admin/users", 200).await;
    let mail = letter(&app, "person@example.com", 1).await;
    assert_eq!(mail.template, "role_changed");

    give(&root, &person, "user").await.expect(200);
    assert_eq!(person.get("/admin/users").await.problem(403), "forbidden");
    let refused = within_a_second(&elsewhere, "/admin/users", 403).await;
    assert_eq!(refused.problem(403), "forbidden");
    replica.stop().await;
}

#[tokio::test]
async fn a_ban_ends_sessions_that_are_under_way() {
    let app = TestApp::start().await;
    let replica = app.replica();
    let admin = operator(&app, "admin").await;
    let person = app.register("person@example.com").await;
    let elsewhere = replica.client(&person);
    assert_eq!(elsewhere.get("/auth/me").await.status, 200);
    let ban = json!({ "until": "2999-01-01T00:00:00Z", "reason": "spam" });
    let banned = admin.post(&path(&person, "/ban"), &ban).await.expect(200);
    assert_eq!(banned["user"]["status"], "banned");
    assert_eq!(banned["user"]["ban"]["until"], "2999-01-01T00:00:00.000Z");
    assert_eq!(person.get("/auth/me").await.problem(401), "session_ended");
    let ended = within_a_second(&elsewhere, "/auth/me", 401).await;
    assert_eq!(ended.problem(401), "session_ended");

    let sign_in = async |password: &str| {
        let body = json!({ "email": "person@example.com", "password": password });
        app.anonymous().post("/auth/signin", &body).await
    };
    let told = sign_in("correct horse").await;
    assert_eq!(told.problem(403), "account_banned");
    assert_eq!(told.body["bannedUntil"], "2999-01-01T00:00:00Z");
    assert!(
        !told.body.to_string().contains("spam"),
        "the reason is the operators'"
    );
    assert_eq!(
        sign_in("wrong horse").await.problem(401),
        "invalid_credentials"
    );
    let for_good = admin.post(&path(&person, "/ban"), &json!({})).await;
    assert!(for_good.expect(200)["user"]["ban"]["until"].is_null());
    let told = sign_in("correct horse").await;
    assert_eq!(told.body["detail"], "this account is banned");
    assert!(told.body["bannedUntil"].is_null());
    let free = admin.delete(&path(&person, "/ban")).await.expect(200);
    assert_eq!(
        (&free["user"]["status"], &free["user"]["ban"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(sign_in("correct horse").await.status, 200);
    replica.stop().await;
}

#[tokio::test]
async fn an_operator_ends_all_sessions_of_somebody() {
    let app = TestApp::start().await;
    let admin = operator(&app, "admin").await;
    let person = app.person().await;
    let seen = admin.get(&path(&person, "")).await.expect(200);
    assert_eq!(
        (&seen["sessions"], &seen["user"]["plan"]),
        (&json!(1), &json!("freemium"))
    );
    assert_eq!(seen["account"]["subscription"]["creditsRemaining"], 100);
    let ended = admin.delete(&path(&person, "/sessions")).await.expect(200);
    assert_eq!(ended["ended"], 1);
    assert_eq!(person.get("/auth/me").await.problem(401), "session_ended");
    let seen = admin.get(&path(&person, "")).await.expect(200);
    assert_eq!(seen["sessions"], 0);
}

#[tokio::test]
async fn nobody_acts_on_themself_or_upwards() {
    let app = TestApp::start().await;
    let root = operator(&app, "super_admin").await;
    let admin = operator(&app, "admin").await;
    let peer = operator(&app, "admin").await;
    assert_eq!(
        give(&root, &root, "user").await.problem(409),
        "last_super_admin"
    );
    let second = operator(&app, "super_admin").await;
    assert_eq!(give(&root, &root, "user").await.problem(409), "own_account");
    let banned = root.post(&path(&root, "/ban"), &json!({})).await;
    assert_eq!(banned.problem(409), "own_account");
    for above in [&peer, &second] {
        let banned = admin.post(&path(above, "/ban"), &json!({})).await;
        assert_eq!(banned.problem(403), "forbidden");
        let ended = admin.delete(&path(above, "/sessions")).await;
        assert_eq!(ended.problem(403), "forbidden");
    }
    assert_eq!(
        give(&admin, &admin, "super_admin").await.problem(403),
        "forbidden"
    );
    assert_eq!(
        give(&root, &peer, "root").await.problem(422),
        "validation_failed"
    );
    let past = json!({ "until": "2020-01-01T00:00:00Z" });
    let banned = root.post(&path(&peer, "/ban"), &past).await;
    assert_eq!(banned.body["errors"][0]["pointer"], "/until");
    let unknown = format!("/admin/users/{}", uuid::Uuid::now_v7());
    assert_eq!(root.get(&unknown).await.problem(404), "user_not_found");
}

#[tokio::test]
async fn people_are_listed_by_page_and_by_cursor() {
    let app = TestApp::start().await;
    let admin = operator(&app, "admin").await;
    for name in ["one", "two", "three"] {
        app.register(&format!("{name}@film.example")).await;
    }
    let list = async |query: &str| admin.get(&format!("/admin/users?{query}")).await;
    let page = list("page=2&limit=2").await.expect(200);
    let expected = json!({ "page": 2, "limit": 2, "total": 4, "pages": 2 });
    assert_eq!(page["pagination"], expected);
    assert_eq!(page["users"][0]["email"], "one@film.example");
    assert!(page.get("nextCursor").is_none());
    let first = list("limit=2").await.expect(200);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = list(&format!("limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(second["users"], page["users"]);
    let found = list("filter=T%40FILM").await.expect(200);
    assert_eq!(found["pagination"]["total"], 0);
    let found = list("filter=O%40FILM").await.expect(200);
    assert_eq!(found["users"][0]["email"], "two@film.example");
    let found = list("role=admin&status=active").await.expect(200);
    assert_eq!(found["users"][0]["id"], admin.user());
    for wrong in [
        "page=0",
        "page=1001",
        "limit=101",
        "role=root",
        "status=x",
        "filter=",
        "cursor=x",
        &format!("page=1&cursor={cursor}"),
    ] {
        assert_eq!(
            list(wrong).await.problem(422),
            "validation_failed",
            "{wrong}"
        );
    }
}
