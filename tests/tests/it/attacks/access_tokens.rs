//! Access tokens, at the door: whatever is wrong with one, the answer is the same.
//!
//! What the token's reader refuses in the small is in `eyemotion-auth/src/access_token/tests.rs`.

use super::raise;
use super::tokens::Forge;
use eyemotion_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;

/// Tokens that were never good, each with its name.
fn forgeries(forge: &Forge, refresh_token: &str) -> Vec<(String, String)> {
    let now = forge.claims["iat"].as_i64().unwrap();
    let (message, signature) = forge.token.rsplit_once('.').unwrap();
    let mut all = Vec::new();
    let mut add = |name: &str, token: String| all.push((name.to_owned(), token));
    for alg in ["none", "None", "nOnE", "NONE", ""] {
        add("alg without a signature", forge.with_signature(alg, b""));
        add(
            "alg with the old signature",
            forge.with_header("alg", json!(alg)),
        );
    }
    for alg in [
        "HS256", "RS256", "PS256", "ES384", "ES512", "EdDSA", "A128KW",
    ] {
        add("another alg", forge.with_header("alg", json!(alg)));
    }
    add("alg is a list", forge.with_header("alg", json!(["ES256"])));
    add("no alg", forge.with_header("alg", Value::Null));
    add(
        "HMAC of the PEM",
        forge.with_hmac(forge.public_pem().as_bytes()),
    );
    add(
        "HMAC of the trimmed PEM",
        forge.with_hmac(forge.public_pem().trim().as_bytes()),
    );
    add("HMAC of the JWKS", forge.with_hmac(&forge.jwks));
    add("HMAC of nothing", forge.with_hmac(b""));
    add("r = s = 0", forge.with_signature("ES256", &[0; 64]));
    add("an empty signature", format!("{message}."));
    add("no signature", message.to_owned());
    add(
        "a short signature",
        format!("{message}.{}", &signature[..80]),
    );
    for end in [1, 10, message.len() / 2, forge.token.len() - 1] {
        add("cut short", forge.token[..end].to_owned());
    }
    for typ in ["JWT", "rt+jwt", "id+jwt", "application/at+jwt ", ""] {
        add("another typ", forge.with_header("typ", json!(typ)));
    }
    for kid in [
        "../../etc/passwd",
        "/dev/null",
        "' OR 1=1 --",
        "unknown",
        "",
        "http://127.0.0.1/",
    ] {
        add("kid", forge.with_header("kid", json!(kid)));
    }
    add("no kid", forge.with_header("kid", Value::Null));
    add("crit", forge.with_header("crit", json!(["exp"])));
    for (claim, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", Value::Null),
        ("aud", json!("service_role")),
        ("aud", json!(["authenticated", "other"])),
        ("aud", Value::Null),
        ("role", json!("service_role")),
        ("user_role", json!("root")),
        ("sub", json!("00000000")),
        ("sub", Value::Null),
        ("sid", Value::Null),
        ("exp", Value::Null),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(1e308)),
        ("exp", json!(-1e300)),
        ("nbf", json!(now + 600)),
        ("nbf", json!("soon")),
    ] {
        add(
            &format!("{claim} = {value}"),
            forge.with_claim(claim, value),
        );
    }
    let twice = forge
        .claims
        .to_string()
        .replacen('{', r#"{"user_role":"super_admin","#, 1);
    add("a claim twice", forge.signed(&forge.header, &twice));
    add("the refresh token", refresh_token.to_owned());
    add("100 KB", format!("{message}.{}", "A".repeat(100_000)));
    all
}

async fn call(client: &Client, token: &str) -> Answer {
    let request = client.signed_out().request(Method::GET, "/auth/me");
    client
        .send(request.header("authorization", format!("Bearer {token}")))
        .await
}

/// What the client is told, but for what differs between any two answers.
fn told(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body["requestId"] = Value::Null;
    body
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_not_told() {
    let app = TestApp::start().await;
    let client = app.person().await;
    let forge = Forge::new(&app, &client).await;
    assert_eq!(call(&client, &forge.token).await.status, 200);
    let again = forge.signed(&forge.header, &forge.claims.to_string());
    assert_eq!(
        call(&client, &again).await.status,
        200,
        "the forge makes good ones, too"
    );
    let rubbish = call(&client, "rubbish").await;
    assert_eq!(rubbish.problem(401), "token_invalid");
    let refresh_token = client.session.clone().unwrap().refresh_token;
    let mut wrong = String::new();
    let forgeries = forgeries(&forge, &refresh_token);
    assert!(forgeries.len() > 60, "{}", forgeries.len());
    for (name, token) in forgeries {
        let answer = call(&client, &token).await;
        if answer.status != 401 || told(&answer) != told(&rubbish) {
            writeln!(wrong, "{name}: {} {}", answer.status, answer.body).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The one difference that a client needs: a token that was good is to be refreshed.
#[tokio::test]
async fn an_expired_token_is_told_apart() {
    let app = TestApp::start().await;
    let client = app.person().await;
    let forge = Forge::new(&app, &client).await;
    let now = forge.claims["iat"].as_i64().unwrap();
    let expired = forge.with_claim("exp", json!(now - 60));
    assert_eq!(call(&client, &expired).await.problem(401), "token_expired");
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_looked_at() {
    let app = TestApp::start().await;
    let client = app.person().await;
    let forge = Forge::new(&app, &client).await;
    let stranger = TestApp::start().await;
    let theirs = Forge::new(&stranger, &stranger.person().await).await;
    assert_eq!(
        call(&client, &theirs.token).await.problem(401),
        "token_invalid"
    );
    let keys: Value = serde_json::from_slice(&theirs.jwks).unwrap();
    let served = format!("{}/.well-known/jwks.json", stranger.base());
    for (name, value) in [
        ("jwk", keys["keys"][0].clone()),
        ("jku", json!(served)),
        ("x5u", json!(served)),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = forge.header.clone();
        header[name] = value;
        let token = theirs.signed(&header, &forge.claims.to_string());
        let answer = call(&client, &token).await;
        assert_eq!(answer.problem(401), "token_invalid", "{name}");
    }
}

/// Even the server's own signature does not make an admin, nor a session.
#[tokio::test]
async fn claims_do_not_outdo_the_database() {
    let app = TestApp::start().await;
    let client = app.person().await;
    let mut forge = Forge::new(&app, &client).await;
    let list = async |token: &str| {
        let request = client.signed_out().request(Method::GET, "/admin/users");
        client
            .send(request.header("authorization", format!("Bearer {token}")))
            .await
    };
    let raised = forge.with_claim("user_role", json!("super_admin"));
    assert_eq!(list(&raised).await.problem(403), "forbidden");
    let nowhere = forge.with_claim("sid", json!(uuid::Uuid::now_v7()));
    assert_eq!(list(&nowhere).await.problem(401), "session_ended");
    // Somebody else's name on one's own session.
    let admin = app.person().await;
    raise(&app, &admin, "super_admin").await;
    forge.claims["user_role"] = json!("super_admin");
    let borrowed = forge.with_claim("sub", json!(admin.user()));
    assert_eq!(list(&borrowed).await.problem(401), "session_ended");
}

#[tokio::test]
async fn only_one_header_in_one_form_carries_a_token() {
    let app = TestApp::start().await;
    let client = app.person().await;
    let token = client.session.clone().unwrap().access_token;
    let ask = |path: &str| client.signed_out().request(Method::GET, path);
    for form in [
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer{token}"),
        "Bearer ".to_owned(),
    ] {
        let answer = client
            .send(ask("/auth/me").header("authorization", form))
            .await;
        assert_eq!(answer.problem(401), "token_invalid");
    }
    let in_query = client
        .send(ask(&format!("/auth/me?access_token={token}")))
        .await;
    assert_eq!(in_query.problem(401), "unauthenticated");
    let in_cookie = client
        .send(ask("/auth/me").header("cookie", format!("access_token={token}")))
        .await;
    assert_eq!(in_cookie.problem(401), "unauthenticated");
    let in_apikey = client.send(ask("/auth/me").header("apikey", &token)).await;
    assert_eq!(in_apikey.problem(401), "unauthenticated");
}
