//! Forgotten and changed passwords, codes and links, over HTTP.

use super::mailbox::{letter, letters, settled};
use eyemotion_testkit::config::{LimitedClients, Settings, Switch};
use eyemotion_testkit::{Answer, Client, TestApp};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const EMAIL: &str = "person@example.com";
const PASSWORD: &str = "correct horse";
const NEW: &str = "another battery staple";

async fn forget(app: &TestApp, email: &str) -> Answer {
    let body = json!({ "email": email });
    app.anonymous().post("/auth/password/forgot", &body).await
}

async fn reset(app: &TestApp, proof: Value, password: &str) -> Answer {
    let mut body = proof;
    body["password"] = json!(password);
    app.anonymous().post("/auth/password/reset", &body).await
}

pub(super) async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    app.anonymous().post("/auth/signin", &body).await
}

async fn execute(app: &TestApp, sql: &str) {
    app.database.admin().await.batch_execute(sql).await.unwrap();
}

fn code_of(email: &str, code: &str) -> Value {
    json!({ "email": email, "code": code })
}

/// Another code than this one, `n` further.
fn wrong(code: &str, n: u32) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + n) % 1_000_000)
}

/// What of an answer an attacker could tell two addresses apart by.
pub(super) fn shape(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let per_request = ["x-request-id", "date", "content-length"];
    let headers = answer.headers.iter();
    let mut headers: Vec<(String, String)> = headers
        .filter(|(name, _)| !per_request.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    let mut body = answer.body.clone();
    if let Some(id) = body.get_mut("requestId") {
        *id = Value::Null;
    }
    (answer.status, headers, body)
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_a_mailed_link() {
    let app = TestApp::start().await;
    let person = app.register(EMAIL).await;
    forget(&app, EMAIL).await.expect(200);
    let mail = letter(&app, EMAIL, 1).await;
    assert_eq!(mail.template, "reset_password");
    let link = json!({ "token": mail.token() });

    // A password that is refused does not use up the link.
    let refused = reset(&app, link.clone(), "short").await;
    assert_eq!(refused.problem(422), "validation_failed");
    let done = reset(&app, link.clone(), NEW).await.expect(200);
    assert!(done.get("session").is_none(), "nobody is signed in by it");
    let again = reset(&app, link, "a third password").await;
    assert_eq!(again.problem(403), "one_time_token_invalid");

    assert_eq!(person.get("/auth/me").await.problem(401), "session_ended");
    let old = sign_in(&app, EMAIL, PASSWORD).await;
    assert_eq!(old.problem(401), "invalid_credentials");
    let signed_in = sign_in(&app, EMAIL, NEW).await.expect(200);
    assert_eq!(signed_in["user"]["profile"]["emailVerified"], true);
    assert_eq!(letter(&app, EMAIL, 2).await.template, "password_changed");
}

#[tokio::test]
async fn who_asks_is_told_the_same_whoever_has_the_address() {
    let app = TestApp::start().await;
    for name in ["known", "provider", "banned"] {
        app.register(&format!("{name}@example.com")).await;
    }
    execute(
        &app,
        "UPDATE auth.users SET password_hash = null WHERE email = 'provider@example.com';
         UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE email = 'banned@example.com'",
    )
    .await;
    for path in [
        "/auth/password/forgot",
        "/auth/magic-link",
        "/auth/confirm/resend",
    ] {
        let mut shapes = Vec::new();
        for name in ["known", "provider", "banned", "unknown"] {
            let body = json!({ "email": format!("{name}@example.com") });
            shapes.push(shape(&app.anonymous().post(path, &body).await));
        }
        assert_eq!(shapes[0].0, 200, "{path}");
        assert!(
            shapes.iter().all(|it| *it == shapes[0]),
            "{path}: {shapes:?}"
        );
    }
    settled(&app).await;
    assert_eq!(letters(&app, "known@example.com").len(), 3);
    assert_eq!(letters(&app, "provider@example.com").len(), 3);
    assert_eq!(letters(&app, "banned@example.com").len(), 0);
    assert_eq!(letters(&app, "unknown@example.com").len(), 0);
    // Nor does a wrong code tell.
    let guess = async |email| shape(&reset(&app, code_of(email, "000000"), NEW).await);
    let known = guess("known@example.com").await;
    assert_eq!(known.0, 403);
    assert_eq!(known, guess("unknown@example.com").await);
}

#[tokio::test]
async fn a_code_dies_with_the_fifth_wrong_guess() {
    let app = TestApp::start().await;
    app.register(EMAIL).await;
    forget(&app, EMAIL).await.expect(200);
    let mail = letter(&app, EMAIL, 1).await;
    let code = mail.code();
    for n in 1..=6 {
        let guess = reset(&app, code_of(EMAIL, &wrong(&code, n)), NEW).await;
        assert_eq!(guess.problem(403), "one_time_token_invalid");
    }
    let right = reset(&app, code_of(EMAIL, &code), NEW).await;
    assert_eq!(right.problem(403), "one_time_token_invalid");
    // Nobody can guess the link, so it lives on.
    let link = json!({ "token": mail.token() });
    reset(&app, link, NEW).await.expect(200);
}

#[tokio::test]
async fn guesses_at_once_are_counted_each() {
    let app = TestApp::start().await;
    app.register(EMAIL).await;
    forget(&app, EMAIL).await.expect(200);
    let code = letter(&app, EMAIL, 1).await.code();
    let guesses = (1..=100).map(|n| reset(&app, code_of(EMAIL, &wrong(&code, n)), NEW));
    for answer in join_all(guesses).await {
        // Too many hashes at once are refused before anything is guessed.
        assert!([403, 503].contains(&answer.status), "{answer:?}");
    }
    let attempts = "SELECT attempts FROM auth.one_time_tokens";
    let row = app.database.admin().await.query_one(attempts, &[]).await;
    assert_eq!(row.unwrap().get::<_, i32>(0), 5);
    let right = reset(&app, code_of(EMAIL, &code), NEW).await;
    assert_eq!(right.problem(403), "one_time_token_invalid");
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_account_and_purpose() {
    let app = TestApp::start().await;
    for email in [EMAIL, "other@example.com"] {
        app.register(email).await;
        forget(&app, email).await.expect(200);
    }
    let code = letter(&app, EMAIL, 1).await.code();
    let others = letter(&app, "other@example.com", 1).await.code();
    let stolen = reset(&app, code_of("other@example.com", &code), NEW).await;
    assert_eq!(stolen.problem(403), "one_time_token_invalid");
    for path in [
        "/auth/magic-link/verify",
        "/auth/confirm",
        "/auth/email/confirm",
    ] {
        let answer = app.anonymous().post(path, &code_of(EMAIL, &code)).await;
        assert_eq!(answer.problem(403), "one_time_token_invalid", "{path}");
    }
    reset(&app, code_of(EMAIL, &code), NEW).await.expect(200);
    let again = reset(&app, code_of(EMAIL, &code), PASSWORD).await;
    assert_eq!(again.problem(403), "one_time_token_invalid");
    reset(&app, code_of("other@example.com", &others), NEW)
        .await
        .expect(200);
}

#[tokio::test]
async fn links_and_codes_expire_and_new_ones_replace_them() {
    let app = TestApp::start().await;
    app.register(EMAIL).await;
    forget(&app, EMAIL).await.expect(200);
    let first = letter(&app, EMAIL, 1).await;
    // Within a minute nothing is sent again.
    forget(&app, EMAIL).await.expect(200);
    settled(&app).await;
    assert_eq!(letters(&app, EMAIL).len(), 1);

    let age = "UPDATE auth.one_time_tokens SET created_at = created_at - interval '11 min',
               expires_at = expires_at - interval '11 min',
               code_expires_at = code_expires_at - interval '11 min'";
    execute(&app, age).await;
    let late = reset(&app, code_of(EMAIL, &first.code()), NEW).await;
    assert_eq!(late.problem(403), "one_time_token_invalid");
    forget(&app, EMAIL).await.expect(200);
    let second = letter(&app, EMAIL, 2).await;
    let replaced = reset(&app, json!({ "token": first.token() }), NEW).await;
    assert_eq!(replaced.problem(403), "one_time_token_invalid");
    for _ in 0..3 {
        execute(&app, age).await;
    }
    let late = reset(&app, json!({ "token": second.token() }), NEW).await;
    assert_eq!(late.problem(403), "one_time_token_invalid");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let app = TestApp::start().await;
    let person = app.register(EMAIL).await;
    let mut other = app.anonymous();
    other.take_session(&sign_in(&app, EMAIL, PASSWORD).await.expect(200));
    let change = async |current: &str, new: &str| {
        let body = json!({ "currentPassword": current, "newPassword": new });
        person.put("/auth/password", &body).await
    };
    let wrong = change("not the password", NEW).await;
    assert_eq!(wrong.problem(422), "validation_failed");
    assert_eq!(wrong.body["errors"][0]["pointer"], "/currentPassword");
    let body = json!({ "newPassword": NEW });
    let missing = person.put("/auth/password", &body).await;
    assert_eq!(missing.body["errors"][0]["code"], "required");
    change(PASSWORD, NEW).await.expect(200);

    person.get("/auth/me").await.expect(200);
    assert_eq!(other.get("/auth/me").await.problem(401), "session_ended");
    sign_in(&app, EMAIL, NEW).await.expect(200);
    assert_eq!(sign_in(&app, EMAIL, PASSWORD).await.status, 401);
    assert_eq!(letter(&app, EMAIL, 1).await.template, "password_changed");
}

#[tokio::test]
async fn a_first_password_needs_a_fresh_proof() {
    let app = TestApp::start().await;
    let person = app.register(EMAIL).await;
    execute(
        &app,
        "UPDATE auth.users SET password_hash = null;
         UPDATE auth.sessions SET authenticated_at = now() - interval '1 hour'",
    )
    .await;
    let body = json!({ "newPassword": NEW });
    let stale = person.put("/auth/password", &body).await;
    assert_eq!(stale.problem(403), "reauthentication_needed");

    let post = |path: &'static str, body: Value| {
        let person = person.clone();
        async move { person.post(path, &body).await }
    };
    post("/auth/reauthenticate/code", json!({}))
        .await
        .expect(200);
    let mail = letter(&app, EMAIL, 1).await;
    assert_eq!(mail.template, "reauthentication_code");
    let code = mail.code();
    let guess = post("/auth/reauthenticate", json!({ "code": wrong(&code, 1) })).await;
    assert_eq!(guess.problem(403), "one_time_token_invalid");
    let both = post(
        "/auth/reauthenticate",
        json!({ "code": code, "password": "x" }),
    )
    .await;
    assert_eq!(both.problem(422), "validation_failed");
    post("/auth/reauthenticate", json!({ "code": code }))
        .await
        .expect(200);
    let again = post("/auth/reauthenticate", json!({ "code": code })).await;
    assert_eq!(again.problem(403), "one_time_token_invalid");
    person.put("/auth/password", &body).await.expect(200);
    sign_in(&app, EMAIL, NEW).await.expect(200);
}

#[tokio::test]
async fn somebody_signs_in_by_mail() {
    let app = TestApp::start().await;
    app.register(EMAIL).await;
    let body = json!({ "email": EMAIL });
    app.anonymous()
        .post("/auth/magic-link", &body)
        .await
        .expect(200);
    let mail = letter(&app, EMAIL, 1).await;
    assert_eq!(mail.template, "magic_link");
    let body = json!({ "token": mail.token() });
    let verify = async || app.anonymous().post("/auth/magic-link/verify", &body).await;
    let mut client = app.anonymous();
    client.take_session(&verify().await.expect(200));
    client.get("/auth/me").await.expect(200);
    assert_eq!(verify().await.problem(403), "one_time_token_invalid");
}

#[tokio::test]
async fn passwords_that_everybody_tries_first_are_refused() {
    let app = TestApp::start_with(|settings: &mut Settings| {
        settings.auth.refuse_common_passwords = Switch::On;
    })
    .await;
    let anyone = app.anonymous();
    let register = async |password: &str| {
        let body = json!({ "email": EMAIL, "password": password, "fullName": "Somchai Jaidee" });
        anyone.post("/auth/register", &body).await
    };
    for bad in ["password", "Password1", "12345678", EMAIL, "somchai jaidee"] {
        let answer = register(bad).await;
        assert_eq!(answer.problem(422), "password_too_common", "{bad}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/password");
    }
    let mut person = app.anonymous();
    person.take_session(&register(PASSWORD).await.expect(201));
    let body = json!({ "currentPassword": PASSWORD, "newPassword": "qwertyuiop" });
    let answer = person.put("/auth/password", &body).await;
    assert_eq!(answer.problem(422), "password_too_common");
    forget(&app, EMAIL).await.expect(200);
    let link = json!({ "token": letter(&app, EMAIL, 1).await.token() });
    // Only whose link it is decides whether this is a name.
    let answer = reset(&app, link.clone(), "SomchaiJaidee").await;
    assert_eq!(answer.problem(422), "password_too_common");
    reset(&app, link, NEW).await.expect(200);
}

#[tokio::test]
async fn an_address_gets_four_mails_an_hour_known_or_not() {
    let app = TestApp::start_with(|settings: &mut Settings| {
        settings.limits.clients = LimitedClients::All;
        settings.limits.mail_per_hour = 1000;
    })
    .await;
    app.register(EMAIL).await;
    let mut last = Vec::new();
    for email in [EMAIL, "unknown@example.com"] {
        for _ in 0..4 {
            forget(&app, email).await.expect(200);
        }
        let refused = forget(&app, email).await;
        assert_eq!(refused.problem(429), "rate_limited");
        assert_eq!(refused.body["limiter"], "mail");
        assert!(refused.header("retry-after").is_some());
        last.push(refused.body["detail"].clone());
    }
    assert_eq!(last[0], last[1]);
}

/// Nobody but the page's reader presses its button.
#[tokio::test]
async fn looking_at_a_link_changes_nothing() {
    let app = TestApp::start().await;
    app.register(EMAIL).await;
    forget(&app, EMAIL).await.expect(200);
    let token = letter(&app, EMAIL, 1).await.token();
    let browser = reqwest::Client::new();
    let page = format!("{}/auth/reset?token={token}", app.base());
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let answer = browser.request(method, &page).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with("text/html"));
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
    }
    let html = browser.get(&page).send().await.unwrap().text().await;
    let html = html.unwrap();
    assert!(
        html.contains(&token) && html.contains("method=\"post\""),
        "{html}"
    );
    assert!(
        !html.contains("<script") && !html.contains("src="),
        "{html}"
    );

    let press = async |password: &str| {
        let url = format!("{}/auth/reset", app.base());
        let form = format!("token={token}&password={}", password.replace(' ', "+"));
        let request = browser
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept-language", "th-TH,th;q=0.9")
            .body(form);
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(press("short").await.contains("<form"));
    assert!(press(NEW).await.contains("เปลี่ยนรหัสผ่านแล้ว"));
    assert!(press(NEW).await.contains("ลิงก์นี้หมดอายุ"));
    sign_in(&app, EMAIL, NEW).await.expect(200);
    let strange = format!("{}/auth/reset?token=%22%3E%3Cscript%3E", app.base());
    let html = browser.get(strange).send().await.unwrap().text().await;
    assert!(!html.unwrap().contains("<script"));
}

#[tokio::test]
async fn every_member_of_a_proof_is_asked_for() {
    let app = TestApp::start().await;
    let anyone: Client = app.anonymous();
    for (body, pointer) in [
        (json!({}), "/token"),
        (json!({ "email": EMAIL }), "/code"),
        (json!({ "code": "000000" }), "/email"),
        (json!({ "token": "x", "code": "000000" }), "/token"),
    ] {
        let answer = anyone.post("/auth/confirm", &body).await;
        assert_eq!(answer.problem(422), "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }
}
