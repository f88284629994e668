//! What holds for every route.

use eyemotion_testkit::TestApp;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_three_prefixes_lead_to_the_same_routes() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    for prefix in [
        "/api/v1",
        "/make-server-7dc8476e",
        "/functions/v1/make-server-7dc8476e",
    ] {
        let health = anyone.get(&format!("/{prefix}/health")).await.expect(200);
        assert_eq!(health["service"], "eyemotion-backend");
        assert_eq!(health["status"], "healthy");
        let refused = anyone.get(&format!("/{prefix}/auth/me")).await;
        assert_eq!(refused.problem(401), "unauthenticated");
    }
    assert_eq!(
        anyone
            .get("//make-server-7dc8476ex/health")
            .await
            .problem(404),
        "not_found"
    );
}

#[tokio::test]
async fn an_unknown_route_is_404_and_a_wrong_method_405_with_allow() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    assert_eq!(anyone.get("/nothing/here").await.problem(404), "not_found");
    let wrong = anyone
        .send(anyone.request(Method::DELETE, "/projects"))
        .await;
    assert_eq!(wrong.problem(405), "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
    let options = anyone
        .send(anyone.request(Method::OPTIONS, "/projects"))
        .await;
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("GET, HEAD, POST, OPTIONS"))
    );
    let probe = anyone.send(anyone.request(Method::POST, "//livez")).await;
    assert_eq!(probe.problem(405), "method_not_allowed");
}

#[tokio::test]
async fn a_trailing_slash_leads_to_the_one_path() {
    let app = TestApp::start().await;
    let person = app.person().await;
    assert_eq!(
        person.get("/auth/me/").await.status,
        200,
        "the client follows the 308"
    );
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let head = anyone.send(anyone.request(Method::HEAD, "/health")).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
}

#[tokio::test]
async fn the_token_must_be_there_and_right() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let none = anyone.get("/auth/me").await;
    assert_eq!(none.problem(401), "unauthenticated");
    assert_eq!(
        none.header("www-authenticate"),
        Some("Bearer realm=\"eyemotion\"")
    );
    for wrong in [
        "Bearer x",
        "Bearer a.b.c",
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "eyJ",
    ] {
        let request = anyone
            .request(Method::GET, "/auth/me")
            .header("authorization", wrong);
        let refused = anyone.send(request).await;
        assert_eq!(refused.problem(401), "token_invalid", "{wrong}");
        assert!(
            refused
                .header("www-authenticate")
                .unwrap()
                .contains("invalid_token")
        );
    }
}

#[tokio::test]
async fn an_access_token_expires() {
    let app = TestApp::start_with(|settings| settings.auth.access_ttl_secs = 1).await;
    let person = app.person().await;
    // The verifier allows clocks to differ by a few seconds.
    let mut code = String::new();
    for _ in 0..100 {
        let answer = person.get("/auth/me").await;
        if answer.status == 401 {
            code = answer.problem(401).to_owned();
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(code, "token_expired");
}

#[tokio::test]
async fn malformed_bodies_are_refused_with_a_code() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let raw = async |body: &str, content_type: &str| {
        let request = person
            .request(Method::POST, "/projects")
            .header("content-type", content_type);
        person.send(request.body(body.to_owned())).await
    };
    assert_eq!(
        raw("{\"name\": ", "application/json").await.problem(400),
        "malformed_request"
    );
    assert_eq!(
        raw("", "application/json").await.problem(400),
        "malformed_request"
    );
    assert_eq!(
        raw("name=x", "application/x-www-form-urlencoded")
            .await
            .problem(415),
        "unsupported_media_type"
    );
    let answer = person
        .post("/projects", &json!({ "name": "a", "owner": "me" }))
        .await;
    assert_eq!(answer.problem(422), "validation_failed");
    assert_eq!(answer.body["errors"][0]["pointer"], "/owner");
    assert_eq!(answer.body["errors"][0]["code"], "unknown_field");
    let answer = person.post("/projects", &json!({ "name": 5 })).await;
    assert_eq!(answer.problem(422), "validation_failed");
    assert_eq!(answer.body["errors"][0]["pointer"], "/name");
    let answer = person
        .post("/projects", &json!({ "name": "a\u{0}b" }))
        .await;
    assert_eq!(answer.problem(422), "validation_failed");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = raw(
        &format!("{{\"name\":\"a\",\"settings\":{{\"a\":{deep}}}}}"),
        "application/json",
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        person.get("/projects").await.expect(200)["projects"],
        json!([])
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let app = TestApp::start_with(|settings| settings.server.max_body_bytes = 4096).await;
    let person = app.person().await;
    let answer = person
        .post("/projects", &json!({ "name": "x".repeat(5000) }))
        .await;
    assert_eq!(answer.problem(413), "body_too_large");
}

#[tokio::test]
async fn request_ids_are_taken_over_when_they_are_harmless() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let with = async |id: &str| {
        let request = anyone
            .request(Method::GET, "/health")
            .header("x-request-id", id);
        anyone
            .send(request)
            .await
            .header("x-request-id")
            .unwrap()
            .to_owned()
    };
    assert_eq!(with("my-request_42").await, "my-request_42");
    assert_ne!(with("short").await, "short");
    assert_ne!(with("with spaces in it").await, "with spaces in it");
}

#[tokio::test]
async fn browsers_may_call_from_listed_origins_only() {
    let app = TestApp::start_with(|settings| {
        settings.server.cors_origins = vec!["https://*.eyemotion.ai".to_owned()];
    })
    .await;
    let anyone = app.anonymous();
    let preflight = async |origin: &str| {
        let request = anyone
            .request(Method::OPTIONS, "/projects")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization, idempotency-key",
            );
        let answer = anyone.send(request).await;
        answer
            .header("access-control-allow-origin")
            .map(ToOwned::to_owned)
    };
    let studio = "https://studio.eyemotion.ai";
    assert_eq!(preflight(studio).await.as_deref(), Some(studio));
    assert_eq!(preflight("https://evil.com").await, None);
    // An error must be readable for the page too.
    let request = anyone
        .request(Method::GET, "/auth/me")
        .header("origin", studio);
    let refused = anyone.send(request).await;
    assert_eq!(refused.problem(401), "unauthenticated");
    assert_eq!(refused.header("access-control-allow-origin"), Some(studio));
}

#[tokio::test]
async fn large_answers_are_compressed_on_request() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let request = anyone
        .request(Method::GET, "//openapi.json")
        .header("accept-encoding", "gzip");
    let answer = anyone.send(request).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.bytes.get(..2), Some(&[0x1f, 0x8b][..]));
}

#[tokio::test]
async fn the_description_and_its_page_need_no_network() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let document = anyone.get("//openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let page = anyone.get("//docs/").await;
    assert_eq!(page.status, 200);
    let page = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(
        !page.contains("src=\"http") && !page.contains("href=\"http"),
        "{page}"
    );
}

#[tokio::test]
async fn the_probes_answer() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    for probe in ["//livez", "//readyz", "//startupz"] {
        assert_eq!(anyone.get(probe).await.status, 200, "{probe}");
    }
    assert_eq!(
        anyone.get("/health/database").await.expect(200)["database"]["status"],
        "healthy"
    );
}
