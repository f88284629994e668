//! Somebody with a project and something to upload.

use eyemotion_testkit::{Answer, Client};
use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A signed-in person with a project.
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) project: String,
}

impl Person {
    /// Somebody new.
    pub(crate) async fn new(base: &str, email: &str) -> Self {
        let client = Client::at(base).register(email).await;
        let body = json!({ "name": "First film" });
        let answer = client.post("/projects", &body).await.expect(201);
        let project = answer["project"]["id"].as_str().unwrap().to_owned();
        Self { client, project }
    }

    /// The same person at a server that has started anew: the session goes on.
    pub(crate) fn at(&self, base: &str) -> Self {
        let mut client = Client::at(base);
        client.session.clone_from(&self.client.session);
        Self {
            client,
            project: self.project.clone(),
        }
    }

    /// What asks for leave to upload.
    pub(crate) fn declaration(&self, name: &str, mime_type: &str, size: impl Into<Value>) -> Value {
        json!({ "projectId": self.project, "fileName": name, "fileType": mime_type, "fileSize": size.into() })
    }

    /// Leave to upload.
    pub(crate) async fn grant(&self, name: &str, mime_type: &str, size: impl Into<Value>) -> Value {
        let body = self.declaration(name, mime_type, size);
        self.client
            .post("/files/upload-url", &body)
            .await
            .expect(201)
    }

    /// Uses it, at the server where this client is, whichever the URL names.
    pub(crate) fn put(&self, grant: &Value, body: impl Into<Body>) -> reqwest::RequestBuilder {
        let url = grant["uploadUrl"].as_str().unwrap();
        let path = url.split_once("/api/v1").unwrap().1;
        let mime_type = grant["headers"]["content-type"].as_str().unwrap();
        let request = self.client.request(Method::PUT, path);
        request.header("content-type", mime_type).body(body)
    }

    /// The whole way of some bytes into the project; returns the file's id.
    pub(crate) async fn upload(&self, name: &str, mime_type: &str, content: &[u8]) -> String {
        let grant = self.grant(name, mime_type, content.len()).await;
        self.client
            .send(self.put(&grant, content.to_vec()))
            .await
            .expect(200);
        let file = grant["fileId"].as_str().unwrap().to_owned();
        self.client
            .post(&format!("/files/{file}/confirm"), &json!({}))
            .await
            .expect(200);
        file
    }

    /// Watches until processing goes no further; returns the file.
    pub(crate) async fn settled(&self, file: &str) -> Value {
        let events = self.client.get(&format!("/files/{file}/events")).await;
        assert_eq!(events.status, 200, "{events:?}");
        self.file(file).await
    }

    pub(crate) async fn file(&self, file: &str) -> Value {
        self.client.get(&format!("/files/{file}")).await.expect(200)["file"].clone()
    }

    /// The original's bytes.
    pub(crate) async fn download(&self, file: &str) -> Answer {
        let answer = self
            .client
            .get(&format!("/files/{file}/download-url"))
            .await
            .expect(200);
        let url = answer["downloadUrl"].as_str().unwrap();
        self.client.signed_out().get(url).await
    }
}

/// A body that is sent piece by piece, when the test says so.
pub(crate) fn slow_body() -> (mpsc::Sender<Vec<u8>>, Body) {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(1);
    let pieces = stream::unfold(receiver, |mut receiver| async {
        receiver
            .recv()
            .await
            .map(|piece| (Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, Body::wrap_stream(pieces))
}
