use crate::{Contract, TestDatabase};
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use eyemotion_core::{Clock, SystemClock};
use gateway::config::Settings;
use gateway::{Gateway, Services};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// The whole server in this process, on a database and a data folder of its own.
pub struct TestApp {
    /// The database.
    pub database: TestDatabase,
    settings: Settings,
    clock: Arc<dyn Clock>,
    running: Running,
    http: reqwest::Client,
    directory: TempDir,
    people: AtomicU32,
}

/// Another process of the same installation, as it were: the same database, settings and keys,
/// and nothing in memory shared.
pub struct Replica(Running);

struct Running {
    gateway: Gateway,
    server: ServerHandle,
    base: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, if it is JSON; else null.
    pub body: Value,
    /// The body's bytes.
    pub bytes: bytes::Bytes,
}

impl Answer {
    /// The problem's code; panics with the answer if it is not a well-formed problem.
    #[track_caller]
    pub fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        let media = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok());
        assert_eq!(media, Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        assert_eq!(self.body["error"], self.body["detail"], "{self:?}");
        let id = self
            .headers
            .get("x-request-id")
            .and_then(|value| value.to_str().ok());
        assert_eq!(self.body["requestId"].as_str(), id, "{self:?}");
        self.body["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{} {}",
            self.body,
            String::from_utf8_lossy(&self.bytes)
        );
        self.body
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl TestApp {
    /// Starts it with the defaults.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts it with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_at(Arc::new(SystemClock), change).await
    }

    /// Starts it with other settings, by a clock that the test moves.
    pub async fn start_at(clock: Arc<dyn Clock>, change: impl FnOnce(&mut Settings)) -> Self {
        let database = TestDatabase::new().await;
        let directory = tempfile::tempdir().expect("a folder");
        let mut settings = Settings::default();
        directory.path().clone_into(&mut settings.data.dir);
        settings.server.workers = 1;
        change(&mut settings);
        Self {
            running: Running::start(&settings, &database, &clock),
            database,
            settings,
            clock,
            http: reqwest::Client::new(),
            directory,
            people: AtomicU32::new(0),
        }
    }

    /// Starts another process beside it.
    pub fn replica(&self) -> Replica {
        self.replica_with(|_| {})
    }

    /// Starts another process beside it, with other settings.
    pub fn replica_with(&self, change: impl FnOnce(&mut Settings)) -> Replica {
        let mut settings = self.settings.clone();
        change(&mut settings);
        Replica(Running::start(&settings, &self.database, &self.clock))
    }

    /// What its routes call.
    pub fn services(&self) -> Data<Services> {
        self.running.gateway.services()
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.running.base
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Somebody who has not signed in.
    pub fn anonymous(&self) -> Client {
        Client {
            http: self.http.clone(),
            ..Client::at(self.base())
        }
    }

    /// Somebody new, signed in.
    pub async fn person(&self) -> Client {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        self.register(&format!("person{number}@example.com")).await
    }

    /// Somebody new with this address, signed in.
    pub async fn register(&self, email: &str) -> Client {
        self.anonymous().register(email).await
    }

    /// Stops it: requests and jobs end first.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl Replica {
    /// The same caller, calling this process.
    pub fn client(&self, of: &Client) -> Client {
        Client {
            base: self.0.base.clone(),
            ..of.clone()
        }
    }

    /// What its routes call.
    pub fn services(&self) -> Data<Services> {
        self.0.gateway.services()
    }

    /// Stops it: requests and jobs end first.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

impl Running {
    fn start(settings: &Settings, database: &TestDatabase, clock: &Arc<dyn Clock>) -> Self {
        let gateway = Gateway::compose_with_clock(settings, &database.config(), clock)
            .expect("the server is composed");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let server =
            gateway::serve(gateway.services(), &settings.server, listener).expect("a server");
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            gateway,
            server: handle,
            base: format!("http://{address}"),
        }
    }

    async fn stop(self) {
        self.gateway.refuse_new_work();
        self.server.stop(true).await;
        self.gateway.drain(Duration::from_secs(10)).await;
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer["session"][member]
        .as_str()
        .expect("a session")
        .to_owned()
}

/// What a client keeps of being signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The person's id.
    pub user: String,
    /// For the `Authorization` header.
    pub access_token: String,
    /// For the next access token.
    pub refresh_token: String,
}

/// Somebody who calls the server, under `/api/v1` unless the path begins with `//`.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// Who; none: nobody.
    pub session: Option<Session>,
}

impl Client {
    /// Somebody who has not signed in to the server at `http://host:port`.
    pub fn at(base: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.to_owned(),
            session: None,
        }
    }

    /// A new account with this address, signed in.
    pub async fn register(mut self, email: &str) -> Self {
        let body = json!({ "email": email, "password": "correct horse", "fullName": "A Person" });
        let answer = self.post("/auth/register", &body).await.expect(201);
        self.take_session(&answer);
        self
    }

    /// Keeps the session of a registration or a sign-in that was answered so.
    pub fn take_session(&mut self, answer: &Value) {
        self.session = Some(Session {
            user: answer["user"]["id"].as_str().expect("an id").to_owned(),
            access_token: text(answer, "accessToken"),
            refresh_token: text(answer, "refreshToken"),
        });
    }

    /// The same caller with another HTTP client: one that follows no redirects, say.
    #[must_use]
    pub fn through(self, http: reqwest::Client) -> Self {
        Self { http, ..self }
    }

    /// The signed-in person's id.
    pub fn user(&self) -> &str {
        self.session.as_ref().map_or("", |session| &session.user)
    }

    /// The same caller without a token.
    #[must_use]
    pub fn signed_out(&self) -> Self {
        Self {
            session: None,
            ..self.clone()
        }
    }

    /// A request to add to.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else if let Some(root) = path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            format!("{}{root}", self.base)
        } else {
            format!("{}/api/v1{path}", self.base)
        };
        let request = self.http.request(method, url);
        match &self.session {
            Some(session) => request.bearer_auth(&session.access_token),
            None => request,
        }
    }

    /// Sends a request. Panics if the answer is not one that the published document promises.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("a whole answer")
    }

    /// Sends a request; `None` if no whole answer comes, because the server has died, say.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let (http, request) = request.build_split();
        let request = request.ok()?;
        let method = request.method().clone();
        let response = http.execute(request).await.ok()?;
        let path = response.url().path().to_owned();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.ok()?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        let answer = Answer {
            status,
            headers,
            body,
            bytes,
        };
        Contract::published().check(&method, &path, &answer);
        Some(answer)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }
}
