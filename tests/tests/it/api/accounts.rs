use eyemotion_testkit::TestApp;
use serde_json::json;

#[tokio::test]
async fn the_documents_own_registration_works() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let body =
        json!({ "email": "test@example.com", "password": "password", "fullName": "Test User" });
    let answer = anyone
        .post("//make-server-7dc8476e/auth/register", &body)
        .await
        .expect(201);
    assert_eq!(answer["success"], true);
    assert_eq!(answer["user"]["email"], "test@example.com");
    assert_eq!(answer["user"]["fullName"], "Test User");
    assert!(answer["user"]["companyName"].is_null());
    assert!(answer["message"].is_string());
    let again = anyone.post("/auth/register", &body).await;
    assert_eq!(again.problem(409), "email_taken");

    let sign_in = json!({ "email": "TEST@example.com ", "password": "password" });
    let answer = anyone.post("/auth/signin", &sign_in).await.expect(200);
    assert_eq!(
        answer["user"]["accessToken"],
        answer["session"]["accessToken"]
    );
    assert_eq!(answer["session"]["tokenType"], "bearer");
    assert_eq!(answer["user"]["profile"]["industry"], "Film Production");
    assert_eq!(answer["user"]["profile"]["country"], "Thailand");
    assert_eq!(answer["user"]["profile"]["role"], "user");
    assert_eq!(answer["user"]["subscription"]["plan"]["name"], "freemium");
    assert_eq!(answer["user"]["subscription"]["creditsRemaining"], 100);
}

#[tokio::test]
async fn wrong_registrations_name_every_member() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let body = json!({ "email": "not an address", "password": "short", "fullName": "" });
    let answer = anyone.post("/auth/register", &body).await;
    assert_eq!(answer.problem(422), "validation_failed");
    let mut pointers: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/email", "/fullName", "/password"]);
    for more in [
        "role",
        "isAdmin",
        "credits",
        "userId",
        "emailVerified",
        "planId",
    ] {
        let mut body = json!({ "email": "a@example.com", "password": "password", "fullName": "A" });
        body[more] = json!("super_admin");
        assert_eq!(
            anyone.post("/auth/register", &body).await.problem(422),
            "validation_failed"
        );
    }
}

#[tokio::test]
async fn unknown_address_and_wrong_password_look_alike() {
    let app = TestApp::start().await;
    app.register("known@example.com").await;
    let anyone = app.anonymous();
    let refused = async |email: &str| {
        let body = json!({ "email": email, "password": "wrong password" });
        let answer = anyone.post("/auth/signin", &body).await;
        assert_eq!(answer.problem(401), "invalid_credentials");
        answer.body["detail"].clone()
    };
    assert_eq!(
        refused("known@example.com").await,
        refused("unknown@example.com").await
    );
}

#[tokio::test]
async fn a_session_is_refreshed_and_ended() {
    let app = TestApp::start().await;
    let mut person = app.person().await;
    let session = person.session.clone().unwrap();
    let body = json!({ "refreshToken": session.refresh_token });
    let answer = person.post("/auth/refresh", &body).await.expect(200);
    let renewed = answer["session"]["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    person.session.as_mut().unwrap().access_token = renewed;
    person.get("/auth/me").await.expect(200);

    person.post("/auth/signout", &json!({})).await.expect(200);
    assert_eq!(person.get("/auth/me").await.problem(401), "session_ended");
    let body = json!({ "refreshToken": answer["session"]["refreshToken"] });
    assert_eq!(
        person.post("/auth/refresh", &body).await.problem(401),
        "refresh_token_invalid"
    );
    let rubbish = json!({ "refreshToken": "x" });
    assert_eq!(
        person.post("/auth/refresh", &rubbish).await.problem(401),
        "refresh_token_invalid"
    );
}

#[tokio::test]
async fn a_profile_is_changed_from_the_version_that_was_seen() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let seen = person.get("/auth/profile").await;
    let etag = seen.header("etag").unwrap().to_owned();
    let change = |company: &str| {
        person
            .request(reqwest::Method::PUT, "/auth/profile")
            .header("if-match", &etag)
            .json(&json!({ "companyName": company }))
    };
    let changed = person.send(change("One")).await;
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!(changed.body["profile"]["companyName"], "One");
    assert_eq!(
        person.send(change("Two")).await.problem(412),
        "version_mismatch"
    );
    let raise = json!({ "role": "super_admin" });
    assert_eq!(
        person.put("/auth/profile", &raise).await.problem(422),
        "validation_failed"
    );
    let me = person.get("/auth/me").await.expect(200);
    assert_eq!(me["user"]["profile"]["companyName"], "One");
    assert_eq!(me["user"]["profile"]["role"], "user");
}

#[tokio::test]
async fn the_public_keys_are_published() {
    let app = TestApp::start().await;
    let keys = app
        .anonymous()
        .get("//.well-known/jwks.json")
        .await
        .expect(200);
    assert_eq!(keys["keys"][0]["kty"], "EC");
    assert_eq!(keys["keys"][0]["crv"], "P-256");
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    assert!(keys["keys"][0].get("d").is_none());
}
