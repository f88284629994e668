//! The way of a file through the interface, step by step, and what must hold at its end.

use eyemotion_testkit::{Answer, Client, TestApp};
use image::{ImageFormat, RgbImage};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::{Value, json};
use std::io::Cursor;
use std::time::Duration;

/// A person with a project.
pub(super) struct Uploader {
    pub(super) person: Client,
    pub(super) project: String,
}

impl Uploader {
    /// Somebody new.
    pub(super) async fn new(app: &TestApp) -> Self {
        let person = app.person().await;
        let body = json!({ "name": "First film" });
        let answer = person.post("/projects", &body).await.expect(201);
        let project = answer["project"]["id"].as_str().unwrap().to_owned();
        Self { person, project }
    }

    /// The body that asks for leave to upload.
    pub(super) fn declaration(&self, name: &str, mime_type: &str, size: impl Into<Value>) -> Value {
        let size = size.into();
        json!({ "projectId": self.project, "fileName": name, "fileType": mime_type, "fileSize": size })
    }

    /// Asks for leave to upload.
    pub(super) async fn ask(&self, name: &str, mime_type: &str, size: impl Into<Value>) -> Answer {
        self.person
            .post(
                "/files/upload-url",
                &self.declaration(name, mime_type, size),
            )
            .await
    }

    /// Leave to upload.
    pub(super) async fn grant(&self, name: &str, mime_type: &str, size: usize) -> Grant {
        Grant::new(&self.ask(name, mime_type, size).await.expect(201))
    }

    /// Leave to upload some JSON, as good as any file where its content does not matter.
    pub(super) async fn grant_json(&self, size: usize) -> Grant {
        self.grant("scene.json", "application/json", size).await
    }

    /// The PUT that a grant describes. Nobody has to be signed in for it.
    pub(super) fn request(&self, grant: &Grant, body: impl Into<Body>) -> RequestBuilder {
        let request = self.person.signed_out().request(Method::PUT, &grant.url);
        request
            .header("content-type", &grant.content_type)
            .body(body)
    }

    pub(super) async fn put(&self, grant: &Grant, body: impl Into<Body>) -> Answer {
        self.person.send(self.request(grant, body)).await
    }

    pub(super) async fn confirm(&self, file: &str) -> Answer {
        self.person
            .post(&format!("/files/{file}/confirm"), &json!({}))
            .await
    }

    /// The whole way, until processing goes no further. Returns the file.
    pub(super) async fn upload(&self, name: &str, mime_type: &str, content: &[u8]) -> Value {
        let grant = self.grant(name, mime_type, content.len()).await;
        self.put(&grant, content.to_vec()).await.expect(200);
        self.confirm(&grant.file).await.expect(200);
        self.watch(&grant.file).await;
        self.file(&grant.file).await
    }

    /// Every event of a file, until the server ends the stream.
    pub(super) async fn watch(&self, file: &str) -> Vec<Value> {
        let answer = self.person.get(&format!("/files/{file}/events")).await;
        assert_eq!(
            answer.header("content-type"),
            Some("text/event-stream"),
            "{answer:?}"
        );
        let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    pub(super) async fn file(&self, file: &str) -> Value {
        self.person.get(&format!("/files/{file}")).await.expect(200)["file"].clone()
    }

    /// A URL for a file's bytes that works without signing in, as `query` wants them.
    pub(super) async fn download_url(&self, file: &str, query: &str) -> String {
        let path = format!("/files/{file}/download-url{query}");
        let answer = self.person.get(&path).await.expect(200);
        answer["downloadUrl"].as_str().unwrap().to_owned()
    }

    /// GET as nobody, with headers.
    pub(super) async fn fetch(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.person.signed_out().request(Method::GET, url);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.person.send(request).await
    }

    /// The original's bytes.
    pub(super) async fn download(&self, file: &str) -> Answer {
        self.fetch(&self.download_url(file, "").await, &[]).await
    }

    /// Credits that are left.
    pub(super) async fn credits(&self) -> i64 {
        let me = self.person.get("/auth/me").await.expect(200);
        me["user"]["subscription"]["creditsRemaining"]
            .as_i64()
            .unwrap()
    }

    /// Moves credits in the ledger as a correction would: every sum stays right.
    pub(super) async fn adjust_credits(&self, app: &TestApp, amount: i64) {
        let user = self.person.user();
        let sql = format!(
            "with txn as (
                insert into credit_txns (user_id, kind, idem_key, request_hash, reason, actor)
                values ('{user}', 'adjust', gen_random_uuid()::text, sha256(''), 'test', 'system')
                returning id, user_id),
             lot as (
                update credit_lots set remaining = remaining + {amount} where user_id = '{user}'
                returning id, user_id),
             entries as (
                insert into credit_entries (txn_id, seq, user_id, account, amount)
                select id, 1, user_id, 'user:{user}:available', {amount} from txn
                union all select id, 2, user_id, 'system:issued', -({amount}) from txn),
             moves as (
                insert into credit_lot_moves (txn_id, lot_id, user_id, amount)
                select txn.id, lot.id, lot.user_id, {amount} from txn, lot)
             update credit_wallets set posted = posted + {amount} where user_id = '{user}'"
        );
        app.database
            .admin()
            .await
            .batch_execute(&sql)
            .await
            .unwrap();
    }
}

/// Leave to upload, as the interface gives it.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) file: String,
    pub(super) url: String,
    pub(super) content_type: String,
    pub(super) answer: Value,
}

impl Grant {
    pub(super) fn new(answer: &Value) -> Self {
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("{answer}"))
                .to_owned()
        };
        Self {
            file: text(&answer["fileId"]),
            url: text(&answer["uploadUrl"]),
            content_type: text(&answer["headers"]["content-type"]),
            answer: answer.clone(),
        }
    }

    /// The same with another URL.
    pub(super) fn with_url(&self, url: String) -> Self {
        Self {
            url,
            ..self.clone()
        }
    }
}

/// What must hold however a test went: every job is done, and every sum agrees with what it sums.
pub(super) async fn settle(app: &TestApp) {
    let admin = app.database.admin().await;
    let count = async |sql: &str| -> i64 { admin.query_one(sql, &[]).await.unwrap().get(0) };
    let waiting = "select count(*) from jobs.jobs where state <> 'dead' and run_at <= now()";
    while count(waiting).await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for sums in [
        "jobs.jobs where state = 'dead'",
        "storage_quota_drift()",
        "project_counter_drift()",
        "credit_ledger_drift()",
    ] {
        assert_eq!(
            count(&format!("select count(*) from {sums}")).await,
            0,
            "{sums}"
        );
    }
}

/// A picture with something to see.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let shade = |value: u32| u8::try_from(value % 256).unwrap();
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([shade(x), shade(y), shade(x * y)])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// JSON of exactly this many bytes, at least 2.
pub(super) fn json_text(size: usize) -> Vec<u8> {
    let mut text = vec![b' '; size];
    text[0] = b'[';
    text[size - 1] = b']';
    text
}

/// The id of a file or a project.
pub(super) fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}
