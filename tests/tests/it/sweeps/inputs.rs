//! Bodies and queries that no operation takes.

use super::samples::{sample, url, with_text};
use eyemotion_testkit::{Client, Contract, Operation, TestApp};
use serde_json::{Value, json};
use std::fmt::Write;

const LIMIT: usize = 4096;

fn with_body() -> impl Iterator<Item = (&'static Operation, &'static Value)> {
    Contract::published()
        .operations
        .iter()
        .filter_map(|it| Some((it, it.body()?)))
}

/// Somebody whom no operation refuses for what they are.
async fn operator(app: &TestApp) -> Client {
    let mut client = app.person().await;
    let session = client.session.clone().unwrap();
    let raise = "UPDATE public.user_profiles SET role = 'super_admin' WHERE id = $1::text::uuid";
    assert_eq!(
        app.database
            .admin()
            .await
            .execute(raise, &[&session.user])
            .await
            .unwrap(),
        1
    );
    // The role stands in the token.
    let body = json!({ "refreshToken": session.refresh_token });
    let renewed = client.post("/auth/refresh", &body).await.expect(200);
    let token = renewed["session"]["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    client.session.as_mut().unwrap().access_token = token;
    client
}

#[tokio::test]
async fn members_that_are_unknown_or_hold_nul_are_refused_by_name() {
    let app = TestApp::start().await;
    let client = operator(&app).await;
    let mut wrong = String::new();
    let mut swept = 0;
    for (operation, schema) in with_body() {
        let mut cases = with_text(schema, "a\u{0}b");
        let mut unknown = sample(schema);
        if Contract::published().resolve(schema)["additionalProperties"] == false {
            unknown["noSuchMember"] = json!(1);
            cases.push(("/noSuchMember".to_owned(), unknown));
        }
        for (pointer, body) in cases {
            swept += 1;
            let url = url(operation);
            let request = client.request(operation.method.clone(), &url).json(&body);
            let answer = client.send(request).await;
            let named = answer.body["errors"][0]["pointer"] == pointer.as_str();
            if answer.status != 422 || !named {
                writeln!(wrong, "{} {pointer}: {}", operation.id, answer.body).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(swept > 30, "{swept} bodies were sent");
}

#[tokio::test]
async fn bodies_that_are_too_large_or_not_json_are_refused() {
    let app = TestApp::start_with(|settings| settings.server.max_body_bytes = LIMIT).await;
    let client = operator(&app).await;
    let mut wrong = String::new();
    let mut swept = 0;
    for (operation, schema) in with_body() {
        swept += 1;
        let json = sample(schema).to_string();
        let large = format!("{json}{}", " ".repeat(LIMIT));
        let cases = [
            (413, "application/json", large.as_str()),
            (415, "text/plain", json.as_str()),
            (400, "application/json", "{"),
            (400, "application/json", ""),
            (422, "application/json", "[]"),
            (422, "application/json", "null"),
        ];
        for (status, media, body) in cases {
            let url = url(operation);
            let request = client.request(operation.method.clone(), &url);
            let request = request.header("content-type", media).body(body.to_owned());
            let answer = client.send(request).await;
            if answer.status != status {
                writeln!(
                    wrong,
                    "{}: {} instead of {status}",
                    operation.id, answer.status
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(swept > 8, "{swept} operations were swept");
}

#[tokio::test]
async fn query_parameters_that_are_unknown_or_wrong_are_refused() {
    let app = TestApp::start().await;
    let client = operator(&app).await;
    let mut wrong = String::new();
    for operation in &Contract::published().operations {
        let mut query: Vec<(&str, String)> = Vec::new();
        let mut cases = Vec::new();
        for parameter in operation.parameters_in("query") {
            let name = parameter["name"].as_str().unwrap();
            let value = sample(&parameter["schema"]);
            if parameter["required"] == true {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), ToOwned::to_owned);
                query.push((name, text));
            }
            cases.push((name, "a%00b"));
        }
        if cases.is_empty() {
            continue;
        }
        cases.push(("noSuchParameter", "1"));
        for (name, value) in cases {
            let mut query = query.clone();
            query.retain(|(known, _)| *known != name);
            query.push((name, value.to_owned()));
            let pairs: Vec<String> = query
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let url = format!("{}?{}", url(operation), pairs.join("&"));
            let answer = client
                .send(client.request(operation.method.clone(), &url))
                .await;
            if ![400, 422].contains(&answer.status) {
                writeln!(wrong, "{} {query:?}: {}", operation.id, answer.status).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
