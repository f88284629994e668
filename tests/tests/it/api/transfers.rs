//! Everything that can go wrong while a file's bytes arrive.

use super::files::nothing_is_kept;
use super::uploader::{Grant, Uploader, json_text, png, settle};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use eyemotion_testkit::TestApp;
use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A body without a `Content-Length`.
fn chunked(content: &[u8]) -> Body {
    let pieces: Vec<Vec<u8>> = content.chunks(7).map(<[u8]>::to_vec).collect();
    Body::wrap_stream(stream::iter(
        pieces.into_iter().map(Ok::<_, std::io::Error>),
    ))
}

/// A body that is sent piece by piece, when the test says so.
fn slow() -> (mpsc::Sender<Vec<u8>>, Body) {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(1);
    let pieces = stream::unfold(receiver, |mut receiver| async {
        receiver
            .recv()
            .await
            .map(|piece| (Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, Body::wrap_stream(pieces))
}

/// After whatever went wrong, the same URL still takes the right bytes.
async fn still_works(uploader: &Uploader, grant: &Grant, content: &[u8]) {
    // The lease of a request that broke off is given up a moment after it.
    let answer = loop {
        let answer = uploader.put(grant, content.to_vec()).await;
        if answer.status != 409 {
            break answer;
        }
        assert_eq!(answer.problem(409), "upload_in_progress");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    answer.expect(200);
    uploader.confirm(&grant.file).await.expect(200);
    uploader.watch(&grant.file).await;
    assert_eq!(
        uploader.file(&grant.file).await["processingStatus"],
        "ready"
    );
    assert_eq!(uploader.download(&grant.file).await.bytes, content);
}

#[tokio::test]
async fn a_length_other_than_the_declared_one_is_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    for (length, received) in [(99, 99), (101, 101)] {
        let answer = uploader.put(&grant, json_text(length)).await;
        assert_eq!(answer.problem(422), "size_mismatch", "{length}");
        assert_eq!(answer.body["declaredSize"], 100);
        assert_eq!(answer.body["receivedSize"], received);
    }
    let short = uploader.put(&grant, chunked(&json_text(99))).await;
    assert_eq!(short.problem(422), "size_mismatch");
    let long = uploader.put(&grant, chunked(&json_text(101))).await;
    assert_eq!(long.problem(422), "size_mismatch");
    assert_eq!(
        uploader.confirm(&grant.file).await.problem(409),
        "upload_missing"
    );
    still_works(&uploader, &grant, &content).await;
    settle(&app).await;
}

/// Sends a PUT byte by byte as given and returns what comes back until the server closes.
async fn raw(app: &TestApp, grant: &Grant, length: usize, body: &[u8]) -> String {
    let address: SocketAddr = app.base().trim_start_matches("http://").parse().unwrap();
    let path = grant.url.strip_prefix(app.base()).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {}\r\n\
         Content-Length: {length}\r\n\r\n",
        grant.content_type
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // Reset rather than closed is an end as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    let answer = raw(&app, &grant, 100, &content[..50]).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    still_works(&uploader, &grant, &content).await;
    settle(&app).await;
}

#[tokio::test]
async fn an_upload_url_expires() {
    let app = TestApp::start_with(|settings| settings.storage.upload_ttl_secs = 1).await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    let expires = grant.answer["expiresAt"].as_str().unwrap();
    let expires = SystemTime::from(chrono::DateTime::parse_from_rfc3339(expires).unwrap());
    tokio::time::sleep(
        expires
            .duration_since(SystemTime::now())
            .unwrap_or_default(),
    )
    .await;
    let answer = uploader.put(&grant, json_text(100)).await;
    assert_eq!(answer.problem(403), "upload_url_expired");
    assert_eq!(
        uploader.confirm(&grant.file).await.problem(410),
        "upload_expired"
    );
    settle(&app).await;
}

#[tokio::test]
async fn an_upload_url_is_bound_to_all_it_says() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    let other = uploader.grant_json(100).await;
    let (path, query) = grant.url.split_once('?').unwrap();
    let parameters: Vec<(&str, &str)> = query
        .split('&')
        .map(|parameter| parameter.split_once('=').unwrap())
        .collect();
    let mut tampered = vec![grant.url.replace(&grant.file, &other.file)];
    for index in 0..parameters.len() {
        let changed = |value: &str| {
            let mut parameters = parameters.clone();
            parameters[index].1 = value;
            let parameters: Vec<String> = parameters
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{path}?{}", parameters.join("&"))
        };
        let value = parameters[index].1;
        // The first character: the last of a base64 text may hold bits that say nothing.
        let first = if value.starts_with('1') { '2' } else { '1' };
        tampered.push(changed(&format!("{first}{}", &value[1..])));
    }
    assert_eq!(tampered.len(), 3, "{}", grant.url);
    for url in tampered {
        let answer = uploader
            .put(&grant.with_url(url.clone()), content.clone())
            .await;
        assert_eq!(answer.problem(403), "upload_url_invalid", "{url}");
    }
    for url in [
        path.to_owned(),
        format!("{path}?{}", query.split_once('&').unwrap().0),
    ] {
        let answer = uploader
            .put(&grant.with_url(url.clone()), content.clone())
            .await;
        assert!([400, 403, 422].contains(&answer.status), "{url} {answer:?}");
    }
    // It gives no other right.
    let read = uploader
        .person
        .send(uploader.person.request(Method::GET, &grant.url))
        .await;
    assert_eq!(read.problem(405), "method_not_allowed");
    still_works(&uploader, &grant, &content).await;
    settle(&app).await;
}

#[tokio::test]
async fn an_upload_url_works_once() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    uploader.put(&grant, content.clone()).await.expect(200);
    let second = uploader.put(&grant, json_text(100)).await;
    assert_eq!(second.problem(409), "upload_already_completed");
    uploader.confirm(&grant.file).await.expect(200);
    let third = uploader.put(&grant, json_text(100)).await;
    assert_eq!(third.problem(409), "upload_already_completed");
    settle(&app).await;
}

#[tokio::test]
async fn one_upload_at_a_time() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    let (sender, body) = slow();
    let first = tokio::spawn(uploader.request(&grant, body).send());
    sender.send(content[..50].to_vec()).await.unwrap();
    while uploader.file(&grant.file).await["processingStatus"] != "uploading" {
        tokio::task::yield_now().await;
    }
    let second = uploader.put(&grant, content.clone()).await;
    assert_eq!(second.problem(409), "upload_in_progress");
    assert!(second.header("retry-after").is_some());
    assert_eq!(
        uploader.confirm(&grant.file).await.problem(409),
        "upload_in_progress"
    );
    sender.send(content[50..].to_vec()).await.unwrap();
    drop(sender);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    uploader.confirm(&grant.file).await.expect(200);
    settle(&app).await;
}

#[tokio::test]
async fn an_upload_into_a_project_that_is_deleted_meanwhile_leaves_nothing() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    let (sender, body) = slow();
    let upload = tokio::spawn(uploader.request(&grant, body).send());
    sender.send(content[..50].to_vec()).await.unwrap();
    while uploader.file(&grant.file).await["processingStatus"] != "uploading" {
        tokio::task::yield_now().await;
    }
    let project = format!("/projects/{}", uploader.project);
    uploader.person.delete(&project).await.expect(200);
    sender.send(content[50..].to_vec()).await.unwrap();
    drop(sender);
    let answer = upload.await.unwrap().unwrap();
    assert!(answer.status().is_client_error(), "{answer:?}");
    nothing_is_kept(&app, &uploader).await;
    settle(&app).await;
}

#[tokio::test]
async fn many_at_once_make_one() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    let puts = (0..10).map(|_| uploader.put(&grant, json_text(100)));
    let answers = futures_util::future::join_all(puts).await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(taken, 1, "{answers:?}");
    assert!(
        answers
            .iter()
            .all(|answer| [200, 409].contains(&answer.status)),
        "{answers:?}"
    );
    let confirms = futures_util::future::join_all((0..10).map(|_| uploader.confirm(&grant.file)));
    for answer in confirms.await {
        assert_eq!(answer.expect(200)["remainingCredits"], 99);
    }
    assert_eq!(uploader.credits().await, 99);
    settle(&app).await;
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    for content_type in ["text/html", "video/mp4", ""] {
        let other = Grant {
            content_type: content_type.to_owned(),
            ..grant.clone()
        };
        let answer = uploader.put(&other, content.clone()).await;
        assert_eq!(
            answer.problem(415),
            "unsupported_media_type",
            "{content_type}"
        );
    }
    still_works(&uploader, &grant, &content).await;
    settle(&app).await;
}

#[tokio::test]
async fn content_must_have_the_declared_checksum() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let mut declaration = uploader.declaration("a.json", "application/json", 100);
    declaration["sha256"] = json!(HEXLOWER.encode(digest(&SHA256, &content).as_ref()));
    let answer = uploader
        .person
        .post("/files/upload-url", &declaration)
        .await
        .expect(201);
    let grant = Grant::new(&answer);
    let mut other = content.clone();
    other[50] = b'1';
    assert_eq!(
        uploader.put(&grant, other).await.problem(422),
        "checksum_mismatch"
    );
    assert_eq!(
        uploader.confirm(&grant.file).await.problem(409),
        "upload_missing"
    );
    still_works(&uploader, &grant, &content).await;
    for wrong in ["", "abc", &"g".repeat(64)] {
        declaration["sha256"] = json!(wrong);
        let answer = uploader
            .person
            .post("/files/upload-url", &declaration)
            .await;
        assert_eq!(answer.problem(422), "validation_failed", "{wrong}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/sha256");
    }
    settle(&app).await;
}

#[tokio::test]
async fn what_is_not_what_its_name_says_is_never_served() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let gif =
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
        \x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
    let text = b"<html><script>alert(1)</script></html>".repeat(20);
    let png = png(32, 32);
    for (name, mime_type, content) in [
        ("photo.jpg", "image/jpeg", gif.as_slice()),
        ("clip.mp4", "video/mp4", text.as_slice()),
        ("clip.mov", "video/quicktime", png.as_slice()),
        ("data.json", "application/json", gif.as_slice()),
    ] {
        let file = uploader.upload(name, mime_type, content).await;
        assert_eq!(file["processingStatus"], "rejected", "{name}");
        assert!(file["processingError"].is_string(), "{file}");
        let path = format!("/files/{}/download-url", file["id"].as_str().unwrap());
        for query in ["", "?rendition=thumbnail", "?disposition=inline"] {
            let refused = uploader.person.get(&format!("{path}{query}")).await;
            assert_eq!(refused.problem(409), "file_not_ready", "{name}{query}");
        }
    }
    let listed = uploader
        .person
        .get(&format!("/projects/{}", uploader.project))
        .await
        .expect(200);
    assert_eq!(listed["project"]["fileCount"], 0);
    settle(&app).await;
}
