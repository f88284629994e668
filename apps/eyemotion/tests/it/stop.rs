//! SIGTERM: what runs may end, nothing new begins, nothing is left.

use crate::person::{Person, slow_body};
use crate::processes;
use crate::server::{Launch, folder};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;

/// One that would wait longer than any test for what still runs.
fn patient(folder: &Path) -> Launch {
    Launch::in_folder(folder).env("EYEMOTION_SERVER_DRAIN_SECS", "3600")
}

#[tokio::test]
async fn a_slow_upload_ends_before_the_server_does() {
    let folder = folder();
    let launch = patient(folder.path());
    let mut server = launch.start().await;
    let person = Person::new(server.base(), "person@example.com").await;
    let content = br#"{"scene": "INT. EDITING ROOM - NIGHT"}"#.as_slice();
    let grant = person
        .grant("a.json", "application/json", content.len())
        .await;
    let (first, rest) = content.split_at(10);
    let (sender, body) = slow_body();
    let upload = tokio::spawn(person.put(&grant, body).send());
    sender.send(first.to_vec()).await.unwrap();
    in_flight(&person, &grant).await;

    server.signal(Signal::TERM);
    server.said("running requests may end").await;
    sender.send(rest.to_vec()).await.unwrap();
    drop(sender);
    let answer = upload.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let status = server.ended().await;
    assert_eq!(status.code(), Some(0), "{}", server.output());
    let left = processes::naming(folder.path());
    assert!(left.is_empty(), "{left:?}");

    // What was answered is there.
    let server = launch.start().await;
    let person = person.at(server.base());
    let file = grant["fileId"].as_str().unwrap();
    person
        .client
        .post(&format!("/files/{file}/confirm"), &json!({}))
        .await
        .expect(200);
    assert_eq!(person.settled(file).await["processingStatus"], "ready");
    assert_eq!(person.download(file).await.bytes, content);
    server.stop().await;
}

/// Waits until the server has begun to take the upload.
async fn in_flight(person: &Person, grant: &Value) {
    let file = grant["fileId"].as_str().unwrap();
    while person.file(file).await["processingStatus"] != "uploading" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = folder();
    let mut server = patient(folder.path()).start().await;
    let person = Person::new(server.base(), "person@example.com").await;
    let grant = person.grant("a.json", "application/json", 100).await;
    let (sender, body) = slow_body();
    let upload = tokio::spawn(person.put(&grant, body).send());
    sender.send(vec![b'{']).await.unwrap();
    in_flight(&person, &grant).await;
    server.signal(Signal::TERM);
    server.said("running requests may end").await;
    server.signal(Signal::INT);
    server.said("stopping at once").await;
    server.ended().await;
    drop(sender);
    let answer = upload.await.unwrap();
    assert!(answer.is_err() || answer.unwrap().status() != 200);
    let left = processes::naming(folder.path());
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_has_nothing_to_finish_does_not_hold_it_up() {
    let folder = folder();
    let mut server = patient(folder.path()).start().await;
    let person = Person::new(server.base(), "person@example.com").await;
    let grant = person.grant("a.json", "application/json", 100).await;
    // Somebody watches a file that will never arrive; the connections before are kept alive.
    let path = format!("/files/{}/events", grant["fileId"].as_str().unwrap());
    let mut events = person
        .client
        .request(Method::GET, &path)
        .send()
        .await
        .unwrap();
    let first = events.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"retry:"), "{first:?}");
    server.signal(Signal::INT);
    server.said("\"stopped\"").await;
    assert_eq!(server.ended().await.code(), Some(0));
    while events.chunk().await.unwrap().is_some() {}
}

#[tokio::test]
async fn an_upload_that_never_ends_is_given_up() {
    let folder = folder();
    let launch = Launch::in_folder(folder.path()).env("EYEMOTION_SERVER_DRAIN_SECS", "1");
    let mut server = launch.start().await;
    let person = Person::new(server.base(), "person@example.com").await;
    let grant = person.grant("a.json", "application/json", 100).await;
    let (sender, body) = slow_body();
    let upload = tokio::spawn(person.put(&grant, body).send());
    sender.send(vec![b'{']).await.unwrap();
    in_flight(&person, &grant).await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.output());
    drop(sender);
    assert!(upload.await.unwrap().is_err());
    let left = processes::naming(folder.path());
    assert!(left.is_empty(), "{left:?}");
}
