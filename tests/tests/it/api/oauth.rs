//! Sign-in through providers, the whole way that a browser goes.

use super::browser::{Browser, query, returned};
use eyemotion_testkit::{Answer, CLIENT_ID, CLIENT_SECRET, FakeProvider, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const PAGE: &str = "https://app.example.com/auth/callback";

impl Browser {
    /// Through begin and the provider: the URL of our callback.
    async fn leave(&mut self, provider: &str, body: &Value) -> String {
        let answer = self.post(&format!("/auth/oauth/{provider}"), body).await;
        self.visit(answer.expect(200)["url"].as_str().unwrap())
            .await
    }

    /// The whole way; the last answer.
    async fn sign_in(&mut self, provider: &str) -> Answer {
        let callback = self.leave(provider, &json!({})).await;
        let led_on = self.get(&callback).await;
        assert_eq!(led_on.status, 303, "{led_on:?}");
        let body = returned(PAGE, led_on.header("location").unwrap());
        self.post("/auth/callback", &body).await
    }
}

async fn start(provider: &FakeProvider) -> TestApp {
    let url = provider.url().to_owned();
    TestApp::start_with(|settings| {
        let oauth = &mut settings.oauth;
        for id in [&mut oauth.google_client_id, &mut oauth.github_client_id] {
            *id = Some(CLIENT_ID.to_owned());
        }
        for secret in [
            &mut oauth.google_client_secret,
            &mut oauth.github_client_secret,
        ] {
            *secret = Some(CLIENT_SECRET.into());
        }
        oauth.google_issuer.clone_from(&url);
        oauth.github_url.clone_from(&url);
        oauth.github_api_url = url;
        oauth.redirect_urls = vec![PAGE.to_owned()];
    })
    .await
}

#[tokio::test]
async fn a_browser_goes_the_whole_way() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    for (number, name) in (1..).zip(["google", "github"]) {
        provider.becomes(number, &format!("ada@{name}.example.com"), true);
        let mut browser = Browser::new(app.anonymous());
        let begun = browser
            .post(
                &format!("/auth/oauth/{name}"),
                &json!({ "redirectTo": PAGE }),
            )
            .await;
        let cookie = begun.header("set-cookie").unwrap().to_owned();
        for part in [
            "eyemotion-oauth-",
            "HttpOnly",
            "SameSite=Lax",
            "Path=/",
            "Max-Age=300",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(
            !cookie.contains("Secure") && !cookie.contains("Domain"),
            "{cookie}"
        );
        let body = begun.expect(200);
        assert_eq!(body["success"], true);
        let url = body["url"].as_str().unwrap();
        assert!(url.starts_with(provider.url()), "{url}");
        let redirect_uri = format!("{}/api/v1/auth/oauth/{name}/callback", app.base());
        assert_eq!(query(url)["redirect_uri"], redirect_uri);

        let callback = browser.visit(url).await;
        assert!(callback.starts_with(&redirect_uri), "{callback}");
        let led_on = browser.get(&callback).await;
        assert_eq!(led_on.status, 303, "{led_on:?}");
        assert_eq!(led_on.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(led_on.header("cache-control"), Some("no-store"));
        let body = returned(PAGE, led_on.header("location").unwrap());

        let answer = browser.post("/auth/callback", &body).await.expect(200);
        assert!(browser.cookies.is_empty(), "the cookie is taken back");
        assert_eq!(answer["user"]["email"], format!("ada@{name}.example.com"));
        assert_eq!(answer["user"]["subscription"]["plan"]["name"], "freemium");
        assert_eq!(answer["user"]["subscription"]["creditsRemaining"], 100);
        let mut signed_in = app.anonymous();
        signed_in.take_session(&answer);
        let me = signed_in.get("/auth/me").await.expect(200);
        assert_eq!(me["user"], answer["user"]);

        let replayed = browser.post("/auth/callback", &body).await;
        assert_eq!(replayed.problem(400), "oauth_flow_invalid");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_flow_begun_in_another_browser_is_refused() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let mut attacker = Browser::new(app.anonymous());
    let callback = attacker.leave("github", &json!({})).await;
    let code = query(&callback);
    let body = json!({ "code": code["code"], "state": code["state"] });

    // A browser without any cookie, and one with a flow of its own.
    let mut victim = Browser::new(app.anonymous());
    for _ in 0..2 {
        assert_eq!(
            victim.get(&callback).await.problem(400),
            "oauth_flow_invalid"
        );
        let refused = victim.post("/auth/callback", &body).await;
        assert_eq!(refused.problem(400), "oauth_flow_invalid");
        victim.leave("github", &json!({})).await;
    }
    // Its own cookie under the other flow's name.
    let own = victim.cookies.values().next().unwrap().clone();
    let names: Vec<_> = attacker.cookies.keys().cloned().collect();
    victim
        .cookies
        .extend(names.into_iter().map(|name| (name, own.clone())));
    assert_eq!(
        victim.get(&callback).await.problem(400),
        "oauth_flow_invalid"
    );
    let wrong = json!({ "code": code["code"], "state": "x".repeat(43) });
    assert_eq!(
        attacker.post("/auth/callback", &wrong).await.problem(400),
        "oauth_flow_invalid"
    );
    app.stop().await;
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let mut browser = Browser::new(app.anonymous());
    let first = browser.leave("github", &json!({})).await;
    let second = browser.leave("google", &json!({})).await;
    for callback in [first, second] {
        let led_on = browser.get(&callback).await;
        let body = returned(PAGE, led_on.header("location").unwrap());
        browser.post("/auth/callback", &body).await.expect(200);
    }
    app.stop().await;
}

#[tokio::test]
async fn no_page_but_the_listed_ones_is_led_to() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let client = app.anonymous();
    for target in [
        "//evil.com",
        "https:evil.com",
        "\\\\evil.com",
        "https://good@evil.com",
        "https://app.example.com@evil.com/auth/callback",
        "https://app.example.com.evil.com/auth/callback",
        "%2f%2fevil.com",
        "https://app.example.com/auth/callback\r\nLocation: https://evil.com",
        "javascript:alert(1)",
        "https://app\u{3002}example\u{3002}com/auth/callback",
        "https://app.example.com./auth/callback",
        "https://user@app.example.com/auth/callback",
        "https://app.example.com:8443/auth/callback",
        "https://APP.example.com/auth/callback",
        "https://app.example.com/auth/callback#x",
        "https://app.example.com/auth/callback/..",
        "",
    ] {
        let refused = client
            .post("/auth/oauth/github", &json!({ "redirectTo": target }))
            .await;
        assert_eq!(refused.problem(422), "validation_failed", "{target}");
        assert_eq!(refused.body["errors"][0]["pointer"], "/redirectTo");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_client_without_cookies_sends_a_verifier() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    // RFC 7636 appendix B.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let mut browser = Browser::new(app.anonymous());
    let callback = browser
        .leave("github", &json!({ "codeChallenge": challenge }))
        .await;
    assert!(browser.cookies.is_empty());
    let led_on = browser.get(&callback).await;
    let mut body = returned(PAGE, led_on.header("location").unwrap());
    assert_eq!(
        browser.post("/auth/callback", &body).await.problem(400),
        "oauth_flow_invalid"
    );
    body["codeVerifier"] = json!("x".repeat(43));
    assert_eq!(
        browser.post("/auth/callback", &body).await.problem(400),
        "oauth_flow_invalid"
    );
    body["codeVerifier"] = json!(verifier);
    browser.post("/auth/callback", &body).await.expect(200);
    app.stop().await;
}

#[tokio::test]
async fn providers_are_known_configured_or_said_not_to_be() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for provider in ["google", "github"] {
        let refused = client
            .post(&format!("/auth/oauth/{provider}"), &json!({}))
            .await;
        assert_eq!(refused.problem(503), "oauth_not_configured");
        let lost = client
            .get(&format!("/auth/oauth/{provider}/callback?state=x&code=y"))
            .await;
        assert_eq!(lost.problem(400), "oauth_flow_invalid");
    }
    let unknown = client.post("/auth/oauth/myspace", &json!({})).await;
    assert_eq!(unknown.problem(404), "not_found");
    let unknown = client
        .get("/auth/oauth/myspace/callback?state=x&code=y")
        .await;
    assert_eq!(unknown.problem(404), "not_found");
    app.stop().await;
}

#[tokio::test]
async fn callbacks_with_anything_in_them_are_refused_in_peace() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let client = app.anonymous();
    let long = "x".repeat(20_000);
    for query in [
        "state=&code=",
        "state=%00&code=%00",
        "state=%ff&code=x",
        "state=x&code=y&authuser=0&prompt=consent&hd=x",
        &format!("state={long}&code=x"),
        "state=x&error=%3Cscript%3E&error_description=%0d%0aX:%20y",
        "state=é%F0%9F%98%80aaaaaaaa&code=x",
    ] {
        let path = format!("/auth/oauth/github/callback?{query}");
        let refused = client.get(&path).await;
        assert_eq!(refused.problem(400), "oauth_flow_invalid", "{query}");
    }
    for (query, pointer) in [
        ("", "state"),
        ("state=x", "code"),
        ("code=x", "state"),
        ("error=access_denied", "state"),
        ("state=x&state=y&code=z", "state"),
        ("state=x&code=y&code=z", "code"),
    ] {
        let path = format!("/auth/oauth/github/callback?{query}");
        let refused = client.get(&path).await;
        assert_eq!(refused.problem(422), "validation_failed", "{query}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    app.stop().await;
}

#[tokio::test]
async fn over_tls_the_cookie_is_the_hosts_own() {
    let provider = FakeProvider::start().await;
    let url = provider.url().to_owned();
    let app = TestApp::start_with(|settings| {
        settings.server.public_url = Some("https://api.example.com/".to_owned());
        settings.server.frontend_url = Some("https://app.example.com".to_owned());
        settings.oauth.github_client_id = Some(CLIENT_ID.to_owned());
        settings.oauth.github_client_secret = Some(CLIENT_SECRET.into());
        settings.oauth.github_url = url;
    })
    .await;
    let client = app.anonymous();
    let begun = client.post("/auth/oauth/github", &json!({})).await;
    let cookie = begun.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-eyemotion-oauth-"), "{cookie}");
    for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let url = begun.expect(200)["url"].as_str().unwrap().to_owned();
    let callback = "https://api.example.com/api/v1/auth/oauth/github/callback";
    assert_eq!(query(&url)["redirect_uri"], callback);
    app.stop().await;
}

#[tokio::test]
async fn identities_are_added_listed_and_removed() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let person = app.person().await;
    provider.becomes(9, "elsewhere@example.com", false);
    let mut browser = Browser::new(person.clone());
    let begun = browser
        .post("/auth/identities", &json!({ "provider": "github" }))
        .await;
    let callback = browser
        .visit(begun.expect(200)["url"].as_str().unwrap())
        .await;
    let led_on = browser.get(&callback).await;
    let body = returned(PAGE, led_on.header("location").unwrap());
    let answer = browser.post("/auth/callback", &body).await.expect(200);
    assert_eq!(answer["user"]["id"], person.user());
    assert!(answer.get("session").is_none(), "{answer}");

    let list = person.get("/auth/identities").await.expect(200);
    let identity = &list["identities"][0];
    assert_eq!(identity["provider"], "github");
    assert_eq!(identity["email"], "elsewhere@example.com");
    assert_eq!(identity["emailVerified"], false);
    let path = format!("/auth/identities/{}", identity["id"].as_str().unwrap());
    let stranger = app.person().await;
    assert_eq!(stranger.delete(&path).await.problem(404), "not_found");
    person.delete(&path).await.expect(200);
    let list = person.get("/auth/identities").await.expect(200);
    assert_eq!(list["identities"], json!([]));

    let wrong = person
        .post("/auth/identities", &json!({ "provider": "myspace" }))
        .await;
    assert_eq!(wrong.problem(422), "validation_failed");
    app.stop().await;
}

#[tokio::test]
async fn somebody_who_only_has_a_provider_keeps_it() {
    let provider = FakeProvider::start().await;
    let app = start(&provider).await;
    let mut browser = Browser::new(app.anonymous());
    let answer = browser.sign_in("google").await.expect(200);
    let mut person = app.anonymous();
    person.take_session(&answer);
    let list = person.get("/auth/identities").await.expect(200);
    let path = format!(
        "/auth/identities/{}",
        list["identities"][0]["id"].as_str().unwrap()
    );
    assert_eq!(
        person.delete(&path).await.problem(409),
        "last_sign_in_method"
    );
    provider.becomes(2, "ada@example.com", false);
    let refused = browser.sign_in("github").await;
    assert_eq!(refused.problem(403), "oauth_email_unverified");
    app.stop().await;
}

/// The cookie comes along from a page on another origin of the site only if the answer says so.
#[tokio::test]
async fn listed_origins_may_send_the_cookie() {
    let app = TestApp::start_with(|settings| {
        settings.server.frontend_url = Some("https://app.example.com".to_owned());
    })
    .await;
    let client = app.anonymous();
    let preflight = |origin: &'static str| {
        let request = client.request(Method::OPTIONS, "/auth/callback");
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        client.send(request)
    };
    let listed = preflight("https://app.example.com").await;
    assert_eq!(
        listed.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        listed.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    let foreign = preflight("https://evil.example.com").await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    app.stop().await;
}
