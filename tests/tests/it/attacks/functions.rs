//! Operations that are not for everybody, called by everybody.

use super::raise;
use super::tokens::Forge;
use crate::sweeps::{sample, url};
use eyemotion_testkit::{Answer, Client, Contract, Operation, TestApp};
use serde_json::json;
use std::fmt::Write;

/// Who may call what, of the operations under [`GUARDED`].
const LEAST: &[(&str, &str)] = &[
    ("banUser", "admin"),
    ("changeRole", "super_admin"),
    ("createApiKey", "admin"),
    ("deleteEntries", "admin"),
    ("deleteEntry", "admin"),
    ("endUserSessions", "admin"),
    ("getDashboard", "admin"),
    ("getEntries", "admin"),
    ("getEntry", "admin"),
    ("getFinancialAnalytics", "admin"),
    ("getFlags", "admin"),
    ("getUser", "admin"),
    ("listApiKeys", "admin"),
    ("listAudit", "admin"),
    ("listCohorts", "admin"),
    ("listEntries", "admin"),
    ("listUsers", "admin"),
    ("revokeApiKey", "admin"),
    ("setEntries", "admin"),
    ("setEntry", "admin"),
    ("unbanUser", "admin"),
    ("updateFlags", "admin"),
];

/// Where operations stand that are operators'.
const GUARDED: &[&str] = &["/admin/", "/kv", "/api-keys", "/init/"];

fn guarded() -> impl Iterator<Item = &'static Operation> {
    let operations = Contract::published().operations.iter();
    operations.filter(|operation| GUARDED.iter().any(|path| operation.path.starts_with(path)))
}

async fn call(client: &Client, operation: &Operation) -> Answer {
    let required = operation
        .parameters_in("query")
        .filter(|parameter| parameter["required"] == true);
    let pairs: Vec<String> = required
        .map(|parameter| {
            let value = sample(&parameter["schema"]);
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            format!("{}={text}", parameter["name"].as_str().unwrap())
        })
        .collect();
    let url = format!("{}?{}", url(operation), pairs.join("&"));
    let request = client.request(operation.method.clone(), &url);
    match operation.body() {
        Some(schema) => client.send(request.json(&sample(schema))).await,
        None => client.send(request).await,
    }
}

#[test]
fn the_table_is_whole() {
    let mut ids: Vec<_> = guarded().map(|operation| operation.id.as_str()).collect();
    ids.sort_unstable();
    let known: Vec<_> = LEAST.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, known, "say in LEAST who may call it");
}

#[tokio::test]
async fn everybody_is_answered_by_rank() {
    let app = TestApp::start().await;
    let user = app.person().await;
    let (admin, root, fallen) = (app.person().await, app.person().await, app.person().await);
    raise(&app, &admin, "admin").await;
    raise(&app, &root, "super_admin").await;
    raise(&app, &fallen, "super_admin").await;
    let body = json!({ "refreshToken": fallen.session.clone().unwrap().refresh_token });
    let renewed = fallen.post("/auth/refresh", &body).await.expect(200);
    let mut fallen = fallen;
    let token = renewed["session"]["accessToken"].as_str().unwrap();
    token.clone_into(&mut fallen.session.as_mut().unwrap().access_token);
    raise(&app, &fallen, "user").await;
    let forge = Forge::new(&app, &root).await;
    let mut expired = root.clone();
    expired.session.as_mut().unwrap().access_token = forge.with_claim("exp", json!(1_700_000_000));

    let mut wrong = String::new();
    for operation in guarded() {
        let (_, least) = LEAST.iter().find(|(id, _)| *id == operation.id).unwrap();
        let admits = |answer: &Answer| ![401, 403].contains(&answer.status);
        let mut expect = |who: &str, answer: Answer, good: bool| {
            if !good {
                writeln!(
                    wrong,
                    "{} as {who}: {} {}",
                    operation.id, answer.status, answer.body
                )
                .unwrap();
            }
        };
        let answer = call(&app.anonymous(), operation).await;
        let good = answer.status == 401 && answer.body["code"] == "unauthenticated";
        expect("nobody", answer, good);
        let answer = call(&expired, operation).await;
        let good = answer.status == 401 && answer.body["code"] == "token_expired";
        expect("a super_admin of yesterday", answer, good);
        for (who, client) in [("a user", &user), ("a fallen super_admin", &fallen)] {
            let answer = call(client, operation).await;
            let good = answer.status == 403 && answer.body["code"] == "forbidden";
            expect(who, answer, good);
        }
        let answer = call(&admin, operation).await;
        let good = admits(&answer) == (*least == "admin");
        expect("an admin", answer, good);
        let answer = call(&root, operation).await;
        let good = admits(&answer);
        expect("a super_admin", answer, good);
    }
    assert!(wrong.is_empty(), "{wrong}");
}
