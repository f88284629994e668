//! How each operation that changes something is called, once, with success.

use crate::api::mailbox::letter;
use crate::attacks::raise;
use eyemotion_stripe_fake::{Card, StripeFake};
use eyemotion_testkit::{Client, TestApp};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

const PASSWORD: &str = "correct horse";

/// The server, and an operator.
pub(super) struct Stage {
    pub(super) app: TestApp,
    pub(super) root: Client,
    stripe: StripeFake,
}

/// In whose log the line is expected.
pub(super) enum Log {
    /// The caller's.
    Callers,
    /// This person's.
    Of(String),
    /// That of the person in the answer.
    New,
}

/// A request about to be sent.
pub(super) struct Call {
    pub(super) client: Client,
    pub(super) request: RequestBuilder,
    pub(super) log: Log,
}

impl Call {
    fn new(client: &Client, request: RequestBuilder, log: Log) -> Self {
        let client = client.clone();
        Self {
            client,
            request,
            log,
        }
    }

    fn bare(client: &Client, method: Method, path: &str, log: Log) -> Self {
        Self::new(client, client.request(method, path), log)
    }

    fn with(client: &Client, method: Method, path: &str, body: &Value, log: Log) -> Self {
        Self::new(client, client.request(method, path).json(body), log)
    }
}

impl Stage {
    pub(super) async fn new() -> Self {
        let stripe = StripeFake::start();
        let app = TestApp::start_with(|settings| {
            settings.stripe.secret_key = Some(stripe.secret_key().as_str().into());
            stripe.url().clone_into(&mut settings.stripe.api_url);
        })
        .await;
        let root = app.person().await;
        raise(&app, &root, "super_admin").await;
        Self { app, root, stripe }
    }

    /// Does what has to be done before `operation` can succeed; none: nobody has said how.
    pub(super) async fn prepare(&self, operation: &str) -> Option<Call> {
        let email = format!("{}@example.com", operation.to_lowercase());
        if operation == "registerUser" {
            let body = json!({ "email": email, "password": PASSWORD, "fullName": "New" });
            return Some(Call::with(
                &self.app.anonymous(),
                Method::POST,
                "/auth/register",
                &body,
                Log::New,
            ));
        }
        let person = self.app.register(&email).await;
        if let Some(call) = self.of_an_operator(operation, &person) {
            return Some(call);
        }
        if let Some(call) = self.of_the_store(operation).await {
            return Some(call);
        }
        if let Some(call) = self.of_somebody_unknown(operation, &person, &email).await {
            return Some(call);
        }
        if let Some(call) = self.of_an_account(operation, &person, &email).await {
            return Some(call);
        }
        if let Some(call) = self.of_a_payer(operation, &person).await {
            return Some(call);
        }
        of_a_project(operation, &person).await
    }

    /// Done by somebody who buys, or has bought, a plan.
    async fn of_a_payer(&self, operation: &str, person: &Client) -> Option<Call> {
        let bodiless = |path| Call::bare(person, Method::POST, path, Log::Callers);
        let call = |path, body| Call::with(person, Method::POST, path, &body, Log::Callers);
        match operation {
            "buyCredits" => return Some(call("/payments/credits", json!({ "creditAmount": 100 }))),
            "createCheckout" => {
                return Some(call("/payments/checkout", json!({ "planName": "pro" })));
            }
            "cancelSubscription" | "changePlan" | "resumeSubscription" => {}
            _ => return None,
        }
        let plan = json!({ "planName": "pro" });
        let checkout = person.post("/payments/checkout", &plan).await.expect(200);
        let session = checkout["sessionId"].as_str().unwrap();
        self.stripe.complete_checkout(session, Card::Visa).unwrap();
        let sync = format!("/payments/checkout/{session}/sync");
        person.post(&sync, &json!({})).await.expect(200);
        Some(match operation {
            "cancelSubscription" => bodiless("/payments/cancel"),
            "changePlan" => call("/payments/change-plan", json!({ "planName": "creator" })),
            _ => {
                person
                    .post("/payments/cancel", &json!({}))
                    .await
                    .expect(200);
                bodiless("/payments/resume")
            }
        })
    }

    /// Done by the operator, to somebody.
    fn of_an_operator(&self, operation: &str, person: &Client) -> Option<Call> {
        let path = |end: &str| format!("/admin/users/{}/{end}", person.user());
        let log = Log::Of(person.user().to_owned());
        let root = &self.root;
        let call = match operation {
            "banUser" => Call::with(root, Method::POST, &path("ban"), &json!({}), log),
            "changeRole" => Call::with(
                root,
                Method::PUT,
                &path("role"),
                &json!({ "role": "admin" }),
                log,
            ),
            "endUserSessions" => Call::bare(root, Method::DELETE, &path("sessions"), log),
            _ => return None,
        };
        Some(call)
    }

    /// Done by the operator, with keys, flags and the key-value store.
    async fn of_the_store(&self, operation: &str) -> Option<Call> {
        let root = &self.root;
        let key = json!({ "name": "Deployment", "scopes": ["kv:read"] });
        let entries =
            json!({ "entries": [{ "key": "a", "value": 1 }, { "key": "b", "value": 2 }] });
        let call = match operation {
            "createApiKey" => Call::with(root, Method::POST, "/api-keys", &key, Log::Callers),
            "revokeApiKey" => {
                let made = root.post("/api-keys", &key).await.expect(201);
                let id = made["apiKey"]["id"].as_str().unwrap();
                Call::bare(
                    root,
                    Method::DELETE,
                    &format!("/api-keys/{id}"),
                    Log::Callers,
                )
            }
            "setEntries" => {
                Call::with(root, Method::POST, "/kv/audit/mset", &entries, Log::Callers)
            }
            "setEntry" => Call::with(
                root,
                Method::PUT,
                "/kv/audit/one",
                &json!({ "value": 1 }),
                Log::Callers,
            ),
            "deleteEntries" => {
                root.post("/kv/audit/mset", &entries).await.expect(200);
                let keys = json!({ "keys": ["a", "b"] });
                Call::with(root, Method::POST, "/kv/audit/mdel", &keys, Log::Callers)
            }
            "deleteEntry" => {
                root.post("/kv/audit/mset", &entries).await.expect(200);
                Call::bare(root, Method::DELETE, "/kv/audit/a", Log::Callers)
            }
            "updateFlags" => {
                let body = json!({ "backupEnabled": { "enabled": true } });
                Call::with(root, Method::PUT, "/admin/flags", &body, Log::Callers)
            }
            "unbanUser" => {
                let person = self.app.person().await;
                let path = format!("/admin/users/{}/ban", person.user());
                root.post(&path, &json!({})).await.expect(200);
                Call::bare(
                    root,
                    Method::DELETE,
                    &path,
                    Log::Of(person.user().to_owned()),
                )
            }
            _ => return None,
        };
        Some(call)
    }

    /// Done without an access token, by somebody who proves who they are on the way.
    async fn of_somebody_unknown(
        &self,
        operation: &str,
        person: &Client,
        email: &str,
    ) -> Option<Call> {
        let nobody = &self.app.anonymous();
        let log = Log::Of(person.user().to_owned());
        let session = person.session.clone().unwrap();
        let call = match operation {
            "signIn" => {
                let body = json!({ "email": email, "password": PASSWORD });
                Call::with(nobody, Method::POST, "/auth/signin", &body, log)
            }
            "refreshSession" => {
                let body = json!({ "refreshToken": session.refresh_token });
                Call::with(nobody, Method::POST, "/auth/refresh", &body, log)
            }
            "resetPassword" => {
                let body = json!({ "email": email });
                nobody
                    .post("/auth/password/forgot", &body)
                    .await
                    .expect(200);
                let token = letter(&self.app, email, 1).await.token();
                let body = json!({ "token": token, "password": "another horse" });
                Call::with(nobody, Method::POST, "/auth/password/reset", &body, log)
            }
            "verifyMagicLink" => {
                let body = json!({ "email": email });
                nobody.post("/auth/magic-link", &body).await.expect(200);
                let token = letter(&self.app, email, 1).await.token();
                let body = json!({ "token": token });
                Call::with(nobody, Method::POST, "/auth/magic-link/verify", &body, log)
            }
            "confirmEmail" => {
                let forget = "UPDATE auth.users SET email_confirmed_at = NULL WHERE email = $1";
                let admin = self.app.database.admin().await;
                admin.execute(forget, &[&email]).await.unwrap();
                let body = json!({ "email": email });
                nobody.post("/auth/confirm/resend", &body).await.expect(200);
                let token = letter(&self.app, email, 1).await.token();
                let body = json!({ "token": token });
                Call::with(nobody, Method::POST, "/auth/confirm", &body, log)
            }
            "confirmEmailChange" => {
                let new = format!("new-{email}");
                person
                    .post("/auth/email", &json!({ "email": new }))
                    .await
                    .expect(200);
                let token = letter(&self.app, &new, 1).await.token();
                let body = json!({ "token": token });
                Call::with(nobody, Method::POST, "/auth/email/confirm", &body, log)
            }
            "undoAccountDeletionByMail" => {
                let path = "/auth/account/deletion";
                person
                    .send(person.request(Method::POST, path))
                    .await
                    .expect(202);
                let token = letter(&self.app, email, 1).await.token();
                let body = json!({ "token": token });
                Call::with(
                    nobody,
                    Method::POST,
                    &format!("{path}/undo-by-mail"),
                    &body,
                    log,
                )
            }
            _ => return None,
        };
        Some(call)
    }

    /// Done by a person with their own account.
    async fn of_an_account(&self, operation: &str, person: &Client, email: &str) -> Option<Call> {
        let sign_in = json!({ "email": email, "password": PASSWORD });
        let log = Log::Callers;
        let call = match operation {
            "signOut" => Call::bare(person, Method::POST, "/auth/signout", log),
            "updateProfile" => {
                let body = json!({ "companyName": "One" });
                Call::with(person, Method::PUT, "/auth/profile", &body, log)
            }
            "reauthenticate" => {
                let body = json!({ "password": PASSWORD });
                Call::with(person, Method::POST, "/auth/reauthenticate", &body, log)
            }
            "changePassword" => {
                let body = json!({ "currentPassword": PASSWORD, "newPassword": "another horse" });
                Call::with(person, Method::PUT, "/auth/password", &body, log)
            }
            "changeEmail" => {
                let body = json!({ "email": format!("new-{email}") });
                Call::with(person, Method::POST, "/auth/email", &body, log)
            }
            "revokeSession" => {
                let other = person
                    .signed_out()
                    .post("/auth/signin", &sign_in)
                    .await
                    .expect(200);
                let mut client = person.clone();
                client.take_session(&other);
                let sessions = client.get("/auth/sessions").await.expect(200);
                let id = sessions["sessions"][1]["id"].as_str().unwrap();
                Call::bare(
                    &client,
                    Method::DELETE,
                    &format!("/auth/sessions/{id}"),
                    log,
                )
            }
            "revokeSessions" => {
                person
                    .signed_out()
                    .post("/auth/signin", &sign_in)
                    .await
                    .expect(200);
                Call::bare(person, Method::DELETE, "/auth/sessions?scope=others", log)
            }
            "removeIdentity" => {
                let id = Uuid::now_v7();
                let insert = "INSERT INTO auth.identities (id, user_id, provider, issuer, subject)
                    VALUES ($1, $2::text::uuid, 'github', 'https://github.com', $2)";
                let admin = self.app.database.admin().await;
                admin.execute(insert, &[&id, &person.user()]).await.unwrap();
                Call::bare(
                    person,
                    Method::DELETE,
                    &format!("/auth/identities/{id}"),
                    log,
                )
            }
            "exportAccount" => Call::bare(person, Method::POST, "/auth/account/export", log),
            "requestAccountDeletion" => {
                Call::bare(person, Method::POST, "/auth/account/deletion", log)
            }
            "undoAccountDeletion" => {
                let path = "/auth/account/deletion";
                person
                    .send(person.request(Method::POST, path))
                    .await
                    .expect(202);
                let mut client = person.signed_out();
                let signed_in = client.post("/auth/signin", &sign_in).await.expect(200);
                client.take_session(&signed_in);
                person
                    .user()
                    .clone_into(&mut client.session.as_mut().unwrap().user);
                Call::bare(&client, Method::POST, &format!("{path}/undo"), log)
            }
            _ => return None,
        };
        Some(call)
    }
}

/// Done by a person with a project and a file in it.
async fn of_a_project(operation: &str, person: &Client) -> Option<Call> {
    let log = Log::Callers;
    let new = json!({ "name": "Mine" });
    if operation == "createProject" {
        return Some(Call::with(person, Method::POST, "/projects", &new, log));
    }
    let made = person.post("/projects", &new).await.expect(201);
    let project = made["project"]["id"].as_str().unwrap();
    let path = format!("/projects/{project}");
    let content = "{\"scene\":1}";
    let wanted = json!({
        "projectId": project, "fileName": "scene.json", "fileType": "application/json", "fileSize": content.len(),
    });
    match operation {
        "updateProject" => {
            return Some(Call::with(
                person,
                Method::PUT,
                &path,
                &json!({ "name": "Ours" }),
                log,
            ));
        }
        "deleteProject" => return Some(Call::bare(person, Method::DELETE, &path, log)),
        "createUploadUrl" => {
            return Some(Call::with(
                person,
                Method::POST,
                "/files/upload-url",
                &wanted,
                log,
            ));
        }
        _ => {}
    }
    let grant = person.post("/files/upload-url", &wanted).await.expect(201);
    let file = grant["fileId"].as_str().unwrap();
    let path = |end: &str| format!("/files/{file}{end}");
    let url = grant["uploadUrl"].as_str().unwrap();
    let put = person.signed_out().request(Method::PUT, url);
    let put = put.header("content-type", "application/json").body(content);
    person.send(put).await.expect(200);
    if operation == "confirmUpload" {
        return Some(Call::with(
            person,
            Method::POST,
            &path("/confirm"),
            &json!({}),
            log,
        ));
    }
    person.post(&path("/confirm"), &json!({})).await.expect(200);
    // Ends when processing does.
    assert_eq!(person.get(&path("/events")).await.status, 200);
    let call = match operation {
        "updateFile" => Call::with(
            person,
            Method::PUT,
            &path(""),
            &json!({ "tags": ["a"] }),
            log,
        ),
        "setFileFavorite" => {
            let body = json!({ "isFavorite": true });
            Call::with(person, Method::PUT, &path("/favorite"), &body, log)
        }
        "deleteFile" => Call::bare(person, Method::DELETE, &path(""), log),
        "restoreFile" => {
            person.delete(&path("")).await;
            Call::bare(person, Method::POST, &path("/restore"), log)
        }
        _ => return None,
    };
    Some(call)
}
