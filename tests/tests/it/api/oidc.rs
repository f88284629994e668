//! Sign-in through a certified OpenID provider, the npm package `oidc-provider` in `tests/oidc`: its
//! pages are filled in over HTTP. Runs where `EYEMOTION_REQUIRE_OIDC` is 1 and `npm ci` has been run
//! there.

use super::browser::Browser;
use eyemotion_testkit::TestApp;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Response, redirect};
use serde_json::json;
use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const CLIENT_ID: &str = "eyemotion";
const CLIENT_SECRET: &str = "a secret of the test's, with +/=& in it";
const PAGE: &str = "https://app.example.com/auth/callback";

struct Provider {
    issuer: String,
    // Killed with it.
    _process: Child,
    // Open: it dies of a line that nobody takes.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    /// `None`, and a line that says so, where it is not wanted.
    #[expect(clippy::print_stderr, reason = "whoever reads the output shall know")]
    async fn start(redirect_uri: &str) -> Option<Self> {
        if std::env::var("EYEMOTION_REQUIRE_OIDC").as_deref() != Ok("1") {
            eprintln!("skipped: set EYEMOTION_REQUIRE_OIDC=1 after npm ci in tests/oidc");
            return None;
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc");
        let mut process = Command::new("node")
            .args(["server.js", CLIENT_ID, CLIENT_SECRET, redirect_uri])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("http://") {
                return Some(Self {
                    issuer: line,
                    _process: process,
                    _output: lines,
                });
            }
        }
        panic!("the provider did not start: is tests/oidc installed (npm ci)?");
    }
}

/// Whoever sits at the provider's pages: signs in and consents, or cancels.
struct Visitor {
    http: reqwest::Client,
    cookies: HashMap<String, String>,
}

impl Visitor {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            cookies: HashMap::new(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let held = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let held = held.collect::<Vec<_>>().join("; ");
        let response = request.header(COOKIE, held).send().await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    /// From the provider's first page to the address that it leaves for.
    async fn go(&mut self, issuer: &str, url: &str) -> String {
        let mut request = self.http.get(url);
        for _ in 0..20 {
            let response = self.send(request).await;
            if let Some(to) = response.headers().get(LOCATION) {
                let to = to.to_str().unwrap();
                let whole = if to.starts_with('/') {
                    format!("{issuer}{to}")
                } else {
                    to.to_owned()
                };
                if !whole.starts_with(issuer) {
                    return whole;
                }
                request = self.http.get(whole);
                continue;
            }
            let page = response.text().await.unwrap();
            let action = between(&page, "action=\"", "\"");
            let prompt = between(&page, "name=\"prompt\" value=\"", "\"");
            let form = format!("prompt={prompt}&login=ada-of-oidc&password=any");
            request = self
                .http
                .post(action)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form);
        }
        panic!("the provider's pages do not end");
    }
}

fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {page}"))
        .1;
    rest.split_once(after).unwrap().0
}

/// The server's address must be registered with the provider before either runs.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn start() -> Option<(TestApp, Provider)> {
    // What clients reach the server under is a setting: the browser in this test knows better.
    let public = free_address();
    let callback = format!("{public}/api/v1/auth/oauth/google/callback");
    let provider = Provider::start(&callback).await?;
    let issuer = provider.issuer.clone();
    let app = TestApp::start_with(|settings| {
        settings.server.public_url = Some(public);
        settings.oauth.google_issuer = issuer;
        settings.oauth.google_client_id = Some(CLIENT_ID.to_owned());
        settings.oauth.google_client_secret = Some(CLIENT_SECRET.into());
        settings.oauth.redirect_urls = vec![PAGE.to_owned()];
    })
    .await;
    Some((app, provider))
}

#[tokio::test]
async fn a_real_openid_provider_signs_somebody_in() {
    let Some((app, provider)) = start().await else {
        return;
    };
    let mut people = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new(app.anonymous());
        let begun = browser
            .post("/auth/oauth/google", &json!({}))
            .await
            .expect(200);
        let url = begun["url"].as_str().unwrap();
        assert!(url.starts_with(&provider.issuer), "{url}");
        let callback = Visitor::new().go(&provider.issuer, url).await;
        // It names itself (RFC 9207).
        assert!(callback.contains("&iss=http"), "{callback}");
        let led_on = browser.get(&on(&app, &callback)).await;
        assert_eq!(led_on.status, 303, "{led_on:?}");
        let body = super::browser::returned(PAGE, led_on.header("location").unwrap());
        let answer = browser.post("/auth/callback", &body).await.expect(200);
        assert_eq!(answer["user"]["email"], "ada@oidc.example.com");
        assert_eq!(answer["user"]["profile"]["fullName"], "Ada of OIDC");
        assert_eq!(answer["user"]["profile"]["emailVerified"], true);
        people.push(answer["user"]["id"].clone());
        let replayed = browser.post("/auth/callback", &body).await;
        assert_eq!(replayed.problem(400), "oauth_flow_invalid");
    }
    assert_eq!(people[0], people[1]);
    app.stop().await;
}

#[tokio::test]
async fn a_real_openid_provider_refuses_another_flows_code_and_verifier() {
    let Some((app, provider)) = start().await else {
        return;
    };
    let mut browser = Browser::new(app.anonymous());
    let mut trips = Vec::new();
    for _ in 0..3 {
        let begun = browser
            .post("/auth/oauth/google", &json!({}))
            .await
            .expect(200);
        let url = begun["url"].as_str().unwrap();
        let callback = Visitor::new().go(&provider.issuer, url).await;
        trips.push(super::browser::query(&callback));
    }
    let crossed = json!({ "code": trips[0]["code"], "state": trips[1]["state"] });
    let refused = browser.post("/auth/callback", &crossed).await;
    assert_eq!(refused.problem(400), "oauth_refused");

    // The same flow with a wrong issuer in the redirect, and with a code that was redeemed before.
    let wrong = format!(
        "/auth/oauth/google/callback?code={}&state={}&iss=https%3A%2F%2Fevil.example.com",
        trips[2]["code"], trips[2]["state"]
    );
    assert_eq!(browser.get(&wrong).await.problem(400), "oauth_flow_invalid");
    let right = json!({ "code": trips[2]["code"], "state": trips[2]["state"] });
    browser.post("/auth/callback", &right).await.expect(200);
    let begun = browser
        .post("/auth/oauth/google", &json!({}))
        .await
        .expect(200);
    let callback = Visitor::new()
        .go(&provider.issuer, begun["url"].as_str().unwrap())
        .await;
    let state = &super::browser::query(&callback)["state"];
    let replayed = json!({ "code": trips[2]["code"], "state": state });
    assert_eq!(
        browser.post("/auth/callback", &replayed).await.problem(400),
        "oauth_refused"
    );
    app.stop().await;
}

/// The callback's path and query at the address where the server really listens.
fn on(app: &TestApp, callback: &str) -> String {
    let rest = callback.split_once("/api/v1").unwrap().1;
    format!("{}/api/v1{rest}", app.base())
}
