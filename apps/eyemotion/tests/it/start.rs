//! From an empty folder to an answer.

use crate::person::Person;
use crate::processes;
use crate::server::{Launch, folder, is_root, nothing_runs_in};
use eyemotion_testkit::Client;
use serde_json::json;
use std::net::TcpListener;

/// What the README shows, as its reader types it.
async fn readme_works(base: &str) {
    let anyone = Client::at(base);
    let health = anyone
        .get("//make-server-7dc8476e/health")
        .await
        .expect(200);
    assert_eq!(
        (&health["status"], &health["service"]),
        (&json!("healthy"), &json!("eyemotion-backend"))
    );
    let body =
        json!({ "email": "test@example.com", "password": "password", "fullName": "Test User" });
    let answer = anyone
        .post("//make-server-7dc8476e/auth/register", &body)
        .await
        .expect(201);
    assert_eq!(answer["user"]["email"], "test@example.com");
}

#[tokio::test]
async fn an_empty_folder_and_no_settings_are_enough() {
    let folder = folder();
    let launch = Launch::in_folder(folder.path());
    let server = launch.start().await;
    readme_works(server.base()).await;
    assert!(
        !processes::naming(folder.path()).is_empty(),
        "its PostgreSQL runs here"
    );
    server.stop().await;
    let left = processes::naming(folder.path());
    assert!(left.is_empty(), "{left:?}");

    // Warm: everything is where it was.
    let server = launch.start().await;
    let body = json!({ "email": "test@example.com", "password": "password" });
    Client::at(server.base())
        .post("/auth/signin", &body)
        .await
        .expect(200);
    server.stop().await;
}

#[tokio::test]
async fn it_needs_no_rights() {
    if !is_root() {
        return; // Every other test shows it.
    }
    let folder = folder();
    let server = Launch::in_folder(folder.path())
        .without_rights()
        .start()
        .await;
    readme_works(server.base()).await;
    server.stop().await;
    let left = processes::naming(folder.path());
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = folder();
    let data = folder.path().join("data");
    let launch = Launch::bare(folder.path())
        .with("--data-dir", data.to_str().unwrap())
        .with("--port", &port);
    let mut server = launch.spawn();
    let status = server.ended().await;
    assert_eq!(status.code(), Some(1));
    let said = server.said("cannot listen on").await;
    assert!(
        said.contains(&format!("127.0.0.1:{port}")) && said.contains("in use"),
        "{said}"
    );
    assert!(
        !data.join("postgres").exists(),
        "no database is made for nothing"
    );
}

#[tokio::test]
async fn two_servers_do_not_share_a_folder() {
    let folder = folder();
    let launch = Launch::in_folder(folder.path());
    let first = launch.start().await;
    let mut second = launch.spawn();
    assert!(!second.ended().await.success());
    second.said(&format!("{}", first.id())).await;
    readme_works(first.base()).await;
    first.stop().await;
}

#[tokio::test]
async fn after_kill_9_it_starts_as_if_nothing_had_been() {
    let folder = folder();
    let launch = Launch::in_folder(folder.path());
    let server = launch.start().await;
    let person = Person::new(server.base(), "person@example.com").await;
    let content = b"{\"scene\": 1}".as_slice();
    let file = person.upload("a.json", "application/json", content).await;
    person.settled(&file).await;
    server.kill().await;

    // At once, while its PostgreSQL may still be ending.
    let server = launch.start().await;
    let person = person.at(server.base());
    assert_eq!(person.file(&file).await["processingStatus"], "ready");
    assert_eq!(person.download(&file).await.bytes, content);
    let another = person.upload("b.json", "application/json", content).await;
    assert_eq!(person.settled(&another).await["processingStatus"], "ready");

    server.kill().await;
    nothing_runs_in(folder.path()).await;
}
