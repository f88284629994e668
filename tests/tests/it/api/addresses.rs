//! Addresses: confirmed after registration, and changed, over HTTP.

use super::mailbox::{letter, letters, settled};
use super::recovery::{shape, sign_in};
use eyemotion_testkit::config::{Settings, Switch};
use eyemotion_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};

const EMAIL: &str = "person@example.com";
const PASSWORD: &str = "correct horse";

async fn confirming() -> TestApp {
    TestApp::start_with(|settings: &mut Settings| {
        settings.auth.require_email_confirmation = Switch::On;
    })
    .await
}

async fn register(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password, "fullName": "A Person" });
    app.anonymous().post("/auth/register", &body).await
}

async fn confirm(app: &TestApp, proof: &Value) -> Answer {
    app.anonymous().post("/auth/confirm", proof).await
}

#[tokio::test]
async fn a_new_address_is_confirmed_before_the_first_sign_in() {
    let app = confirming().await;
    let registered = register(&app, EMAIL, PASSWORD).await.expect(201);
    assert!(registered.get("session").is_none());
    let early = sign_in(&app, EMAIL, PASSWORD).await;
    assert_eq!(early.problem(403), "email_not_confirmed");
    let mail = letter(&app, EMAIL, 1).await;
    assert_eq!(mail.template, "confirm_email");

    let proof = json!({ "token": mail.token() });
    let mut person = app.anonymous();
    person.take_session(&confirm(&app, &proof).await.expect(200));
    let me = person.get("/auth/me").await.expect(200);
    assert_eq!(me["user"]["profile"]["emailVerified"], true);
    let twice = confirm(&app, &proof).await;
    assert_eq!(twice.problem(403), "one_time_token_invalid");
    sign_in(&app, EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn registering_does_not_tell_who_has_an_account() {
    let app = confirming().await;
    let first = register(&app, EMAIL, PASSWORD).await;
    let code = letter(&app, EMAIL, 1).await.code();
    let proof = json!({ "email": EMAIL, "code": code });
    confirm(&app, &proof).await.expect(200);

    let again = register(&app, EMAIL, "somebody else's").await;
    let (mut first, mut second) = (shape(&first), shape(&again));
    let (a, b) = (first.2["user"]["id"].take(), second.2["user"]["id"].take());
    assert!(a.is_string() && b.is_string() && a != b);
    assert_eq!(first, second);
    let mail = letter(&app, EMAIL, 2).await;
    assert_eq!(mail.template, "account_exists");
    assert_eq!(sign_in(&app, EMAIL, "somebody else's").await.status, 401);
    sign_in(&app, EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn who_registers_first_does_not_keep_an_address_that_is_not_theirs() {
    let app = confirming().await;
    register(&app, EMAIL, "the attacker's").await.expect(201);
    let first = letter(&app, EMAIL, 1).await;
    let age = "UPDATE auth.one_time_tokens SET created_at = created_at - interval '2 min'";
    app.database.admin().await.batch_execute(age).await.unwrap();
    register(&app, EMAIL, PASSWORD).await.expect(201);
    let second = letter(&app, EMAIL, 2).await;
    assert_eq!(second.template, "confirm_email");
    let replaced = confirm(&app, &json!({ "token": first.token() })).await;
    assert_eq!(replaced.problem(403), "one_time_token_invalid");
    let proof = json!({ "token": second.token() });
    confirm(&app, &proof).await.expect(200);
    assert_eq!(sign_in(&app, EMAIL, "the attacker's").await.status, 401);
    sign_in(&app, EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_confirmation_is_sent_again_to_who_waits_for_one() {
    let app = confirming().await;
    register(&app, EMAIL, PASSWORD).await.expect(201);
    letter(&app, EMAIL, 1).await;
    let resend = async || {
        let body = json!({ "email": EMAIL });
        app.anonymous().post("/auth/confirm/resend", &body).await
    };
    let within_a_minute = shape(&resend().await);
    settled(&app).await;
    assert_eq!(letters(&app, EMAIL).len(), 1);
    let age = "UPDATE auth.one_time_tokens SET created_at = created_at - interval '2 min'";
    app.database.admin().await.batch_execute(age).await.unwrap();
    assert_eq!(shape(&resend().await), within_a_minute);
    let mail = letter(&app, EMAIL, 2).await;
    confirm(&app, &json!({ "token": mail.token() }))
        .await
        .expect(200);
    assert_eq!(shape(&resend().await), within_a_minute);
    settled(&app).await;
    assert_eq!(letters(&app, EMAIL).len(), 2);
}

#[tokio::test]
async fn a_page_confirms_and_opens_no_session() {
    let app = confirming().await;
    register(&app, EMAIL, PASSWORD).await.expect(201);
    let token = letter(&app, EMAIL, 1).await.token();
    let request = reqwest::Client::new()
        .post(format!("{}/auth/confirm", app.base()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}"));
    let html = request.send().await.unwrap().text().await.unwrap();
    assert!(html.contains("Your address is confirmed"), "{html}");
    let sessions = "SELECT count(*) FROM auth.sessions";
    let row = app.database.admin().await.query_one(sessions, &[]).await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 0);
    sign_in(&app, EMAIL, PASSWORD).await.expect(200);
}

async fn ask(person: &Client, email: &str) -> Answer {
    let body = json!({ "email": email });
    person.post("/auth/email", &body).await
}

async fn change(app: &TestApp, token: &str) -> Answer {
    let body = json!({ "token": token });
    app.anonymous().post("/auth/email/confirm", &body).await
}

#[tokio::test]
async fn an_address_is_changed_by_who_reads_the_new_one() {
    let app = TestApp::start().await;
    let person = app.register(EMAIL).await;
    let same = ask(&person, EMAIL).await;
    assert_eq!(same.body["errors"][0]["code"], "unchanged");
    ask(&person, "new@example.com").await.expect(200);
    let mail = letter(&app, "new@example.com", 1).await;
    assert_eq!(mail.template, "change_email");
    sign_in(&app, EMAIL, PASSWORD).await.expect(200);

    let changed = change(&app, &mail.token()).await.expect(200);
    assert_eq!(changed["email"], "new@example.com");
    let notice = letter(&app, EMAIL, 1).await;
    assert_eq!(notice.template, "email_changed");
    let me = person.get("/auth/me").await.expect(200);
    assert_eq!(me["user"]["email"], "new@example.com");
    assert_eq!(me["user"]["profile"]["emailVerified"], true);
    assert_eq!(sign_in(&app, EMAIL, PASSWORD).await.status, 401);
    sign_in(&app, "new@example.com", PASSWORD).await.expect(200);
    let twice = change(&app, &mail.token()).await;
    assert_eq!(twice.problem(403), "one_time_token_invalid");
}

#[tokio::test]
async fn another_address_needs_a_fresh_proof() {
    let app = TestApp::start().await;
    let person = app.register(EMAIL).await;
    let stale = "UPDATE auth.sessions SET authenticated_at = now() - interval '1 hour'";
    app.database
        .admin()
        .await
        .batch_execute(stale)
        .await
        .unwrap();
    let refused = ask(&person, "new@example.com").await;
    assert_eq!(refused.problem(403), "reauthentication_needed");
    let with = async |password: &str| {
        let body = json!({ "email": "new@example.com", "password": password });
        person.post("/auth/email", &body).await
    };
    let wrong = with("not the password").await;
    assert_eq!(wrong.body["errors"][0]["pointer"], "/password");
    with(PASSWORD).await.expect(200);
    letter(&app, "new@example.com", 1).await;
}

#[tokio::test]
async fn of_many_who_want_an_address_one_gets_it() {
    let app = TestApp::start().await;
    let mut tokens = Vec::new();
    for n in 1..=3 {
        let person = app.person().await;
        ask(&person, "wanted@example.com").await.expect(200);
        tokens.push(letter(&app, "wanted@example.com", n).await.token());
    }
    let changes = tokens.iter().map(|token| change(&app, token));
    let mut statuses: Vec<u16> = futures_util::future::join_all(changes)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409]);

    // Whoever asks for it now is told the same; its owner hears of it.
    let late = app.person().await;
    ask(&late, "wanted@example.com").await.expect(200);
    let mail = letter(&app, "wanted@example.com", 4).await;
    assert_eq!(mail.template, "account_exists");
}
