//! What belongs to somebody is, to anybody else, not there.

use super::samples::{kind, sample};
use super::unknown_id;
use eyemotion_testkit::{Answer, Client, Contract, Operation, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

/// The owner's checkout, while there is one.
const CHECKOUT: &str = "cs_test_of_the_owner";

/// Somebody with one of everything.
struct Owner {
    client: Client,
    project: String,
    file: String,
    session: String,
    identity: String,
}

impl Owner {
    async fn new(app: &TestApp) -> Self {
        let client = app.person().await;
        let made = client
            .post("/projects", &json!({ "name": "Mine" }))
            .await
            .expect(201);
        let project = made["project"]["id"].as_str().unwrap().to_owned();
        let content = b"{\"scene\":1}".to_vec();
        let body = json!({
            "projectId": project, "fileName": "scene.json", "fileType": "application/json", "fileSize": content.len(),
        });
        let grant = client.post("/files/upload-url", &body).await.expect(201);
        let put = client
            .signed_out()
            .request(Method::PUT, grant["uploadUrl"].as_str().unwrap());
        let put = put.header("content-type", "application/json").body(content);
        client.send(put).await.expect(200);
        let file = grant["fileId"].as_str().unwrap().to_owned();
        client
            .post(&format!("/files/{file}/confirm"), &json!({}))
            .await
            .expect(200);
        // Ends when processing does.
        assert_eq!(
            client.get(&format!("/files/{file}/events")).await.status,
            200
        );
        let sessions = client.get("/auth/sessions").await.expect(200);
        let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
        let sql = format!(
            "INSERT INTO auth.identities (user_id, provider, issuer, subject) \
             VALUES ('{}', 'github', 'https://github.com', '1') RETURNING id::text",
            client.user()
        );
        let admin = app.database.admin().await;
        let identity = admin.query_one(&sql, &[]).await.unwrap().get(0);
        Self {
            client,
            project,
            file,
            session,
            identity,
        }
    }

    /// The owner's own id for this parameter or member.
    fn id(&self, operation: &Operation, name: &str) -> String {
        let before = operation
            .path
            .split(&format!("/{{{name}}}"))
            .next()
            .unwrap();
        let noun = if name == "id" {
            before.rsplit('/').next().unwrap()
        } else {
            name
        };
        match noun {
            "projectId" | "projects" | "project" => self.project.clone(),
            "fileId" | "files" => self.file.clone(),
            "checkout" => CHECKOUT.to_owned(),
            "sessions" => self.session.clone(),
            "identities" => self.identity.clone(),
            "userId" | "users" | "user" => self.client.user().to_owned(),
            // Refused for what the caller is, whatever the id.
            _ if is_operators(operation) => unknown_id(),
            _ => panic!(
                "{}: say in tests/it/sweeps/strangers.rs whose {name} it takes",
                operation.id
            ),
        }
    }
}

/// The server with a key of Stripe's, which no call here reaches: without one, paid routes say so
/// before they look at whose a thing is.
async fn selling_app() -> TestApp {
    TestApp::start_with(|settings| {
        settings.stripe.secret_key = Some("sk_test_1".into());
        "http://127.0.0.1:9".clone_into(&mut settings.stripe.api_url);
    })
    .await
}

/// Whether it is for operators; other operations have other reasons for a 403.
fn is_operators(operation: &Operation) -> bool {
    operation.spec["responses"]["403"]["description"] == "The caller's role does not allow it"
}

/// The operations that name a thing by its id, in the path or in the body.
fn with_ids() -> impl Iterator<Item = &'static Operation> {
    let operations = Contract::published().operations.iter();
    operations.filter(|operation| {
        let in_path = operation.parameters_in("path").count() > 0;
        operation.is_secured() && (in_path || !ids_in_body(operation).is_empty())
    })
}

/// Names of the ids that the body must hold.
fn ids_in_body(operation: &Operation) -> Vec<String> {
    let schema = operation
        .body()
        .map(|schema| Contract::published().resolve(schema));
    let Some(schema) = schema else {
        return Vec::new();
    };
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let ids = required.filter(|name| {
        let member = Contract::published().resolve(&schema["properties"][*name]);
        kind(member) == "string" && member["format"] == "uuid"
    });
    ids.map(ToOwned::to_owned).collect()
}

async fn call(client: &Client, operation: &Operation, id: impl Fn(&str) -> String) -> Answer {
    let request = client.request(operation.method.clone(), &operation.url(&id));
    let Some(schema) = operation.body() else {
        return client.send(request).await;
    };
    let mut body = sample(schema);
    for name in ids_in_body(operation) {
        body[&name] = json!(id(&name));
    }
    client.send(request.json(&body)).await
}

/// What the answer tells, but for what differs between any two.
fn told(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.body.clone();
    body["requestId"] = Value::Null;
    let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort_unstable();
    (answer.status, body, names)
}

/// A digest of every table, but for those that note what was tried and who is there.
pub(crate) async fn state(app: &TestApp) -> Vec<(String, String)> {
    let admin = app.database.admin().await;
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
        AND tablename !~ '^(activity_logs|sessions|refresh_tokens|jobs|job_|workers)' ORDER BY 1";
    let mut digests = Vec::new();
    for row in admin.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let digest = format!(
            "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
        );
        digests.push((table, admin.query_one(&digest, &[]).await.unwrap().get(0)));
    }
    digests
}

/// What is wrong if the two answers are not the same refusal.
fn fault(operation: &Operation, expected: u16, theirs: &Answer, nobodys: &Answer) -> String {
    if theirs.status == expected && told(theirs) == told(nobodys) {
        return String::new();
    }
    let short = |answer: &Answer| format!("{} {:.150}", answer.status, answer.body.to_string());
    let (theirs, nobodys) = (short(theirs), short(nobodys));
    let id = &operation.id;
    format!("{id}, not {expected}:\n  theirs: {theirs}\n  nobody's: {nobodys}\n")
}

#[tokio::test]
async fn somebody_elses_and_nobodys_look_alike_and_nothing_changes() {
    let app = selling_app().await;
    let owner = Owner::new(&app).await;
    let (stranger, anonymous) = (app.person().await, app.anonymous());
    let order = format!(
        "INSERT INTO payment_orders
            (user_id, kind, credits, amount, success_url, cancel_url, expires_at, stripe_checkout_session_id)
        VALUES ('{}', 'credits', 100, 5000, 'https://a/', 'https://b/', now(), '{CHECKOUT}')",
        owner.client.user()
    );
    app.database
        .admin()
        .await
        .batch_execute(&order)
        .await
        .unwrap();
    let before = state(&app).await;
    assert!(before.len() > 15, "{before:?}");
    let mut wrong = String::new();
    let mut swept = 0;
    for operation in with_ids() {
        swept += 1;
        for (client, expected) in [
            (&stranger, if is_operators(operation) { 403 } else { 404 }),
            (&anonymous, 401),
        ] {
            let theirs = call(client, operation, |name| owner.id(operation, name)).await;
            let nobodys = call(client, operation, |_| unknown_id()).await;
            wrong += &fault(operation, expected, &theirs, &nobodys);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(swept > 20, "{swept} operations were swept");
    assert_eq!(state(&app).await, before);
}

#[tokio::test]
async fn what_was_deleted_is_not_there_for_its_owner_either() {
    let app = selling_app().await;
    let mut owner = Owner::new(&app).await;
    let body = json!({ "email": "person0@example.com", "password": "correct horse" });
    owner
        .client
        .take_session(&owner.client.post("/auth/signin", &body).await.expect(200));
    for path in [
        format!("/auth/sessions/{}", owner.session),
        format!("/auth/identities/{}", owner.identity),
        format!("/files/{}", owner.file),
        format!("/projects/{}", owner.project),
    ] {
        let answer = owner.client.delete(&path).await;
        assert!(matches!(answer.status, 200 | 204), "{path}: {answer:?}");
    }
    let before = state(&app).await;
    let mut wrong = String::new();
    let mut swept = 0;
    for operation in with_ids().filter(|operation| !is_operators(operation)) {
        let own = |name: &str| owner.id(operation, name);
        if operation.path.contains("{userId}") {
            continue;
        }
        swept += 1;
        let gone = call(&owner.client, operation, own).await;
        let nobodys = call(&owner.client, operation, |_| unknown_id()).await;
        wrong += &fault(operation, 404, &gone, &nobodys);
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(swept > 12, "{swept} operations were swept");
    assert_eq!(state(&app).await, before);
}

/// The ids of the sweep above are good ones: their owner is not refused.
#[tokio::test]
async fn the_owner_sees_what_the_stranger_does_not() {
    let app = selling_app().await;
    let owner = Owner::new(&app).await;
    for operation in with_ids() {
        let read = operation.method == Method::GET && !is_operators(operation);
        if read && operation.parameters_in("path").count() > 0 {
            let answer = call(&owner.client, operation, |name| owner.id(operation, name)).await;
            assert_eq!(answer.status, 200, "{}: {}", operation.id, answer.body);
        }
    }
}
