//! Everything that can go wrong on a file's way in.

use super::uploader::{Grant, Uploader, json_text, settle};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use eyemotion_testkit::{Answer, TestApp};
use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const GIB: u64 = 1 << 30;

/// A body without a `Content-Length`.
fn chunked(content: Vec<u8>) -> Body {
    let pieces: Vec<Vec<u8>> = content.chunks(7).map(<[u8]>::to_vec).collect();
    Body::wrap_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
}

/// A body that is sent piece by piece, when the test says so.
fn slow() -> (mpsc::Sender<Vec<u8>>, Body) {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(1);
    let pieces = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), receiver))
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
    assert_eq!(uploader.file(&grant.file).await["processingStatus"], "ready");
    assert_eq!(uploader.download(&grant.file).await.bytes, content);
}

#[tokio::test]
async fn types_that_are_not_taken_are_415() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    for (name, mime_type) in [
        ("virus.exe", "application/x-msdownload"),
        ("page.html", "text/html"),
        ("clip.mp4", "image/png"),
        ("clip.exe", "video/mp4"),
        ("clip", "video/unheard-of"),
    ] {
        let answer = uploader.ask(name, mime_type, 5).await;
        assert_eq!(answer.problem(415), "unsupported_media_type", "{name} {mime_type}");
    }
    settle(app).await;
}

#[tokio::test]
async fn sizes_that_cannot_be_are_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    for size in [json!(0), json!(-1), json!(1.5), json!("5"), json!(null), json!(1e300)] {
        let answer = uploader.ask("clip.mp4", "video/mp4", size.clone()).await;
        assert_eq!(answer.problem(422), "validation_failed", "{size}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/fileSize", "{size}");
    }
    let answer = uploader.ask("clip.mp4", "video/mp4", 10 * GIB + 1).await;
    assert_eq!(answer.problem(413), "file_too_large");
    assert_eq!(answer.body["fileSize"], 10 * GIB + 1);
    assert_eq!(answer.body["maxFileSize"], 10 * GIB);
    settle(app).await;
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let long = format!("{}.mp4", "x".repeat(1000));
    let huge = format!("{}.mp4", "x".repeat(1024 * 1024 - 1000));
    for name in ["", "../../etc/passwd.mp4", "a\u{0}b.mp4", "a\nb.mp4", &long, &huge] {
        let answer = uploader.ask(name, "video/mp4", 5).await;
        assert_eq!(answer.problem(422), "validation_failed", "{:.20}", name);
        assert_eq!(answer.body["errors"][0]["pointer"], "/fileName", "{:.20}", name);
    }
    let mut unknown = uploader.declaration("clip.mp4", "video/mp4", 5);
    unknown["creditsNeeded"] = json!(0);
    let answer = uploader.person.post("/files/upload-url", &unknown).await;
    assert_eq!(answer.body["errors"][0]["pointer"], "/creditsNeeded");
    settle(app).await;
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
    let short = uploader.put(&grant, chunked(json_text(99))).await;
    assert_eq!(short.problem(422), "size_mismatch");
    let long = uploader.put(&grant, chunked(json_text(101))).await;
    assert_eq!(long.problem(422), "size_mismatch");
    assert_eq!(uploader.confirm(&grant.file).await.problem(409), "upload_missing");
    still_works(&uploader, &grant, &content).await;
    settle(app).await;
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
    settle(app).await;
}

#[tokio::test]
async fn an_upload_url_expires() {
    let app = TestApp::start_with(|settings| settings.storage.upload_ttl_secs = 1).await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    let expires = grant.answer["expiresAt"].as_str().unwrap();
    let expires = SystemTime::from(chrono::DateTime::parse_from_rfc3339(expires).unwrap());
    tokio::time::sleep(expires.duration_since(SystemTime::now()).unwrap_or_default()).await;
    let answer = uploader.put(&grant, json_text(100)).await;
    assert_eq!(answer.problem(403), "upload_url_expired");
    assert_eq!(uploader.confirm(&grant.file).await.problem(410), "upload_expired");
    settle(app).await;
}

#[tokio::test]
async fn an_upload_url_is_bound_to_all_it_says() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    let other = uploader.grant_json(100).await;
    let (path, query) = grant.url.split_once('?').unwrap();
    let parameters: Vec<(&str, &str)> =
        query.split('&').map(|parameter| parameter.split_once('=').unwrap()).collect();
    let mut tampered = vec![grant.url.replace(&grant.file, &other.file)];
    for index in 0..parameters.len() {
        let changed = |value: &str| {
            let mut parameters = parameters.clone();
            parameters[index].1 = value;
            let parameters: Vec<String> =
                parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{path}?{}", parameters.join("&"))
        };
        let value = parameters[index].1;
        // The first character: the last of a base64 text may hold bits that say nothing.
        let first = if value.starts_with('1') { '2' } else { '1' };
        tampered.push(changed(&format!("{first}{}", &value[1..])));
    }
    assert_eq!(tampered.len(), 3, "{}", grant.url);
    for url in tampered {
        let answer = uploader.put(&grant.with_url(url.clone()), content.clone()).await;
        assert_eq!(answer.problem(403), "upload_url_invalid", "{url}");
    }
    for url in [path.to_owned(), format!("{path}?{}", query.split_once('&').unwrap().0)] {
        let answer = uploader.put(&grant.with_url(url.clone()), content.clone()).await;
        assert!([400, 403, 422].contains(&answer.status), "{url} {answer:?}");
    }
    // It gives no other right.
    let read = uploader.person.send(uploader.person.request(Method::GET, &grant.url)).await;
    assert_eq!(read.problem(405), "method_not_allowed");
    still_works(&uploader, &grant, &content).await;
    settle(app).await;
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
    settle(app).await;
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
    assert_eq!(uploader.confirm(&grant.file).await.problem(409), "upload_in_progress");
    sender.send(content[50..].to_vec()).await.unwrap();
    drop(sender);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    uploader.confirm(&grant.file).await.expect(200);
    settle(app).await;
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
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)), "{answers:?}");
    let confirms = futures_util::future::join_all((0..10).map(|_| uploader.confirm(&grant.file)));
    for answer in confirms.await {
        assert_eq!(answer.expect(200)["remainingCredits"], 99);
    }
    assert_eq!(uploader.credits().await, 99);
    settle(app).await;
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let grant = uploader.grant_json(100).await;
    for content_type in ["text/html", "video/mp4", ""] {
        let other = Grant { content_type: content_type.to_owned(), ..grant.clone() };
        let answer = uploader.put(&other, content.clone()).await;
        assert_eq!(answer.problem(415), "unsupported_media_type", "{content_type}");
    }
    still_works(&uploader, &grant, &content).await;
    settle(app).await;
}

#[tokio::test]
async fn confirming_comes_after_uploading_and_once() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    assert_eq!(uploader.confirm(&grant.file).await.problem(409), "upload_missing");
    uploader.put(&grant, json_text(100)).await.expect(200);
    assert_eq!(uploader.credits().await, 100, "an upload costs when it is confirmed");

    let first = uploader.confirm(&grant.file).await.expect(200);
    assert_eq!((&first["success"], &first["fileId"]), (&json!(true), &json!(grant.file)));
    assert!(first["message"].is_string());
    assert_eq!(first["remainingCredits"], 99);
    let again = uploader.confirm(&grant.file).await.expect(200);
    assert_eq!(again["remainingCredits"], 99);
    assert_eq!(uploader.credits().await, 99);
    settle(app).await;
}

#[tokio::test]
async fn somebody_elses_upload_does_not_exist() {
    let app = TestApp::start().await;
    let owner = Uploader::new(&app).await;
    let other = Uploader::new(&app).await;
    let grant = owner.grant_json(100).await;
    owner.put(&grant, json_text(100)).await.expect(200);
    assert_eq!(other.confirm(&grant.file).await.problem(404), "file_not_found");
    assert_eq!(other.credits().await, 100);
    let into = other.declaration("a.json", "application/json", 100);
    assert_eq!(owner.person.post("/files/upload-url", &into).await.problem(404), "project_not_found");
    let nobody = app.anonymous().post(&format!("/files/{}/confirm", grant.file), &json!({})).await;
    assert_eq!(nobody.problem(401), "unauthenticated");
    settle(app).await;
}

#[tokio::test]
async fn what_cannot_be_paid_is_not_begun() {
    let app = TestApp::start_with(|settings| settings.storage.max_file_bytes = 20 * GIB).await;
    let uploader = Uploader::new(&app).await;
    // 11 GiB cost 110 credits; freemium has 100 of them and room for less.
    let room = "update storage_quotas set limit_bytes = 1::bigint << 40";
    app.database.admin().await.batch_execute(room).await.unwrap();
    let answer = uploader.ask("film.mp4", "video/mp4", 11 * GIB).await;
    assert_eq!(answer.problem(402), "insufficient_credits");
    assert_eq!(answer.body["creditsNeeded"], 110);
    assert_eq!(answer.body["creditsAvailable"], 100);
    let answer = uploader.ask("film.mp4", "video/mp4", 10 * GIB).await.expect(201);
    assert_eq!(answer["creditsNeeded"], 100);
    settle(app).await;
}

#[tokio::test]
async fn what_was_spent_meanwhile_is_asked_for_at_the_end() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    uploader.put(&grant, json_text(100)).await.expect(200);
    uploader.adjust_credits(&app, -100).await;
    for _ in 0..2 {
        let answer = uploader.confirm(&grant.file).await;
        assert_eq!(answer.problem(402), "insufficient_credits");
        assert_eq!(answer.body["creditsNeeded"], 1);
        assert_eq!(answer.body["creditsAvailable"], 0);
    }
    assert_eq!(uploader.file(&grant.file).await["processingStatus"], "uploaded");
    uploader.adjust_credits(&app, 10).await;
    let answer = uploader.confirm(&grant.file).await.expect(200);
    assert_eq!(answer["remainingCredits"], 9);
    uploader.watch(&grant.file).await;
    assert_eq!(uploader.file(&grant.file).await["processingStatus"], "ready");
    settle(app).await;
}

#[tokio::test]
async fn a_full_plan_takes_nothing_more() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let limit = GIB;
    uploader.ask("a.mp4", "video/mp4", limit - 100).await.expect(201);
    let answer = uploader.ask("b.mp4", "video/mp4", 101).await;
    assert_eq!(answer.problem(402), "quota_exceeded");
    assert_eq!(answer.body["bytesNeeded"], 101);
    assert_eq!(answer.body["bytesAvailable"], 100);
    assert_eq!(answer.body["bytesLimit"], limit);
    uploader.ask("b.mp4", "video/mp4", 100).await.expect(201);
    let answer = uploader.ask("c.mp4", "video/mp4", 1).await;
    assert_eq!(answer.problem(402), "quota_exceeded");
    settle(app).await;
}

#[tokio::test]
async fn no_race_overshoots_the_plan() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let asks = (0..20).map(|_| uploader.ask("a.mp4", "video/mp4", GIB / 8));
    let answers = futures_util::future::join_all(asks).await;
    let granted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(granted, 8);
    let refused = |answer: &&Answer| answer.status == 402;
    assert_eq!(answers.iter().filter(refused).count(), 12, "{answers:?}");
    settle(app).await;
}

#[tokio::test]
async fn content_must_have_the_declared_checksum() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = json_text(100);
    let mut declaration = uploader.declaration("a.json", "application/json", 100);
    declaration["sha256"] = json!(HEXLOWER.encode(digest(&SHA256, &content).as_ref()));
    let answer = uploader.person.post("/files/upload-url", &declaration).await.expect(201);
    let grant = Grant::new(&answer);
    let mut other = content.clone();
    other[50] = b'1';
    assert_eq!(uploader.put(&grant, other).await.problem(422), "checksum_mismatch");
    assert_eq!(uploader.confirm(&grant.file).await.problem(409), "upload_missing");
    still_works(&uploader, &grant, &content).await;
    for wrong in ["", "abc", &"g".repeat(64)] {
        declaration["sha256"] = json!(wrong);
        let answer = uploader.person.post("/files/upload-url", &declaration).await;
        assert_eq!(answer.problem(422), "validation_failed", "{wrong}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/sha256");
    }
    settle(app).await;
}

#[tokio::test]
async fn what_is_not_what_its_name_says_is_never_served() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
        \x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
    let text = b"<html><script>alert(1)</script></html>".repeat(20);
    let png = super::uploader::png(32, 32);
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
    let listed = uploader.person.get(&format!("/projects/{}", uploader.project)).await.expect(200);
    assert_eq!(listed["project"]["fileCount"], 0);
    settle(app).await;
}

#[tokio::test]
async fn an_idempotency_key_gives_one_grant() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let ask = async |size: usize| {
        let body = uploader.declaration("a.json", "application/json", size);
        let request = uploader.person.request(Method::POST, "/files/upload-url");
        uploader.person.send(request.header("idempotency-key", "take-1").json(&body)).await
    };
    let (one, two) = tokio::join!(ask(100), ask(100));
    let (one, two): (Value, Value) = (one.expect(201), two.expect(201));
    assert_eq!(one["uploadUrl"], two["uploadUrl"]);
    assert_eq!(ask(101).await.problem(422), "idempotency_key_reused");
    let files = uploader.person.get(&format!("/projects/{}/files", uploader.project)).await.expect(200);
    assert_eq!(files["files"].as_array().unwrap().len(), 1);
    settle(app).await;
}
