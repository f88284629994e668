//! What becomes of a file once it is in: processed, served, sorted, trashed, gone.

use super::clips;
use super::uploader::{Uploader, json_text, png, settle};
use eyemotion_testkit::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

fn id(file: &Value) -> &str {
    file["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_picture_becomes_ready() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(640, 360);
    let grant = uploader.grant("still.png", "image/png", content.len()).await;
    assert_eq!(grant.answer["success"], true);
    assert_eq!((&grant.answer["method"], &grant.answer["creditsNeeded"]), (&json!("PUT"), &json!(1)));
    uploader.put(&grant, content.clone()).await.expect(200);
    uploader.confirm(&grant.file).await.expect(200);

    let events = uploader.watch(&grant.file).await;
    let last = events.last().unwrap();
    assert_eq!((&last["status"], &last["progress"]), (&json!("ready"), &json!(100)), "{events:?}");
    assert!(events.iter().all(|event| event["fileId"] == grant.file.as_str()), "{events:?}");
    let progress: Vec<u64> = events.iter().map(|event| event["progress"].as_u64().unwrap()).collect();
    assert!(progress.is_sorted(), "{events:?}");

    let file = uploader.file(&grant.file).await;
    for (member, expected) in [
        ("processingStatus", json!("ready")),
        ("processingError", json!(null)),
        ("fileType", json!("image")),
        ("mimeType", json!("image/png")),
        ("fileSize", json!(content.len())),
        ("filename", json!("still.png")),
        ("originalName", json!("still.png")),
        ("resolution", json!("640x360")),
        ("width", json!(640)),
        ("height", json!(360)),
        ("fps", json!(null)),
        ("duration", json!(null)),
        ("creditsCost", json!(1)),
        ("thumbnailStatus", json!("ready")),
        ("isFavorite", json!(false)),
        ("tags", json!([])),
    ] {
        assert_eq!(file[member], expected, "{member}: {file}");
    }
    assert!(file.get("storagePath").is_none() && file.get("uploadLeaseToken").is_none());
    assert_eq!(uploader.download(&grant.file).await.bytes, content);
    let thumbnail = thumbnail(&uploader, &grant.file).await;
    assert!(thumbnail.width() <= 640 && thumbnail.height() < 360, "{thumbnail:?}");
    let project = uploader.person.get(&format!("/projects/{}", uploader.project)).await.expect(200);
    assert_eq!(project["project"]["fileCount"], 1);
    settle(app).await;
}

/// The file's thumbnail, decoded.
async fn thumbnail(uploader: &Uploader, file: &str) -> image::DynamicImage {
    let url = uploader.download_url(file, "?rendition=thumbnail&disposition=inline").await;
    let answer = uploader.fetch(&url, &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/jpeg")));
    image::load_from_memory(&answer.bytes).unwrap()
}

#[tokio::test]
async fn a_clip_becomes_ready_with_the_values_of_ffprobe() {
    let Some(clips) = clips::all() else { return };
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let mut seconds = 0.0;
    for clip in &clips {
        let file = uploader.upload(&clip.name, clip.mime_type, &clip.content).await;
        let expected = &clip.expected;
        assert_eq!(file["processingStatus"], "ready", "{}: {file}", clip.name);
        assert_eq!(file["fps"], expected.fps.as_str(), "{}", clip.name);
        assert_eq!(file["resolution"], expected.resolution.as_str(), "{}", clip.name);
        assert_eq!(file["codec"], expected.codec.as_str(), "{}", clip.name);
        let duration = file["duration"].as_f64().unwrap();
        let frame = 1.0 / expected.frames_a_second;
        assert!((duration - expected.duration).abs() <= frame, "{}: {duration}", clip.name);
        seconds += duration;
        assert_eq!(file["thumbnailStatus"], "ready", "{}", clip.name);
        let thumbnail = thumbnail(&uploader, id(&file)).await;
        assert!(thumbnail.width() > 0, "{}", clip.name);
        assert_eq!(uploader.download(id(&file)).await.bytes, clip.content, "{}", clip.name);
    }
    let project = uploader.person.get(&format!("/projects/{}", uploader.project)).await.expect(200);
    assert_eq!(project["project"]["fileCount"], clips.len());
    let total = project["project"]["totalDuration"].as_f64().unwrap();
    assert!((total - seconds).abs() < 0.001, "{total} {seconds}");
    settle(app).await;
}

#[tokio::test]
async fn ranges_are_served_as_the_rfc_says() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(320, 200);
    let size = content.len();
    let file = uploader.upload("still.png", "image/png", &content).await;
    let url = uploader.download_url(id(&file), "").await;

    let whole = uploader.fetch(&url, &[]).await;
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")));
    assert_eq!(whole.header("content-length"), Some(size.to_string().as_str()));
    assert_eq!(whole.bytes, content);
    let etag = whole.header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "strong: {etag}");

    let last = size - 1;
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 0),
        ("bytes=100-299".to_owned(), 100, 299),
        ("bytes=100-".to_owned(), 100, last),
        ("bytes=-100".to_owned(), size - 100, last),
        (format!("bytes={last}-{}", size + 1000), last, last),
        (format!("bytes=-{}", size + 1000), 0, last),
    ] {
        let part = uploader.fetch(&url, &[("range", &range)]).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.bytes, content[from..=to], "{range}");
        let expected = format!("bytes {from}-{to}/{size}");
        assert_eq!(part.header("content-range"), Some(expected.as_str()), "{range}");
        assert_eq!(part.header("etag"), Some(etag.as_str()), "{range}");
    }
    for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
        let beyond = uploader.fetch(&url, &[("range", &range)]).await;
        assert_eq!(beyond.problem(416), "range_not_satisfiable", "{range}");
        let expected = format!("bytes */{size}");
        assert_eq!(beyond.header("content-range"), Some(expected.as_str()), "{range}");
    }
    // What is not understood is ignored (RFC 9110 section 14.2).
    for range in ["bytes=5-2", "bytes=x-y", "lines=1-2", "bytes="] {
        let answer = uploader.fetch(&url, &[("range", range)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, size), "{range}");
    }

    let resumed = uploader.fetch(&url, &[("range", "bytes=100-"), ("if-range", &etag)]).await;
    assert_eq!((resumed.status, resumed.bytes.len()), (206, size - 100));
    for stale in ["\"another\"", &format!("W/{etag}"), "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let answer = uploader.fetch(&url, &[("range", "bytes=100-"), ("if-range", stale)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, size), "{stale}");
    }
    settle(app).await;
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(64, 64);
    let file = uploader.upload("still.png", "image/png", &content).await;
    let url = uploader.download_url(id(&file), "").await;
    let whole = uploader.fetch(&url, &[]).await;
    let (etag, modified) = (whole.header("etag").unwrap(), whole.header("last-modified").unwrap());
    let several = format!("\"another\", W/{etag}");
    for known in [etag, "*", &several] {
        let answer = uploader.fetch(&url, &[("if-none-match", known)]).await;
        assert_eq!((answer.status, answer.bytes.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(etag), "{known}");
    }
    let answer = uploader.fetch(&url, &[("if-modified-since", modified)]).await;
    assert_eq!((answer.status, answer.bytes.len()), (304, 0));
    let answer = uploader.fetch(&url, &[("if-none-match", "\"another\"")]).await;
    assert_eq!((answer.status, &answer.bytes[..]), (200, &content[..]));

    let head = uploader.person.send(uploader.person.request(Method::HEAD, &url)).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(content.len().to_string().as_str()));
    assert_eq!((head.header("etag"), head.header("content-type")), (Some(etag), Some("image/png")));
    settle(app).await;
}

#[tokio::test]
async fn names_travel_in_any_script_and_types_are_not_guessed() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let name = "ภาพยนตร์ \"ตัวอย่าง\" €.png";
    let file = uploader.upload(name, "image/png", &png(16, 16)).await;
    assert_eq!(file["filename"], name);
    let disposition = |answer: &Answer| answer.header("content-disposition").unwrap().to_owned();

    let url = uploader.download_url(id(&file), "").await;
    let saved = uploader.fetch(&url, &[]).await;
    let header = disposition(&saved);
    // RFC 6266 with RFC 8187: every byte that is no attr-char is percent-encoded.
    assert!(header.starts_with("attachment; "), "{header}");
    let extended = header.split("filename*=UTF-8''").nth(1).unwrap();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'.' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    assert_eq!(extended.split(';').next(), Some(encoded.as_str()));
    assert!(header.is_ascii() && header.contains("filename=\""), "{header}");
    assert_eq!(saved.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(saved.header("content-type"), Some("image/png"));

    let shown = uploader.download_url(id(&file), "?disposition=inline").await;
    let header = disposition(&uploader.fetch(&shown, &[]).await);
    assert!(header.starts_with("inline"), "{header}");

    // A picture that may carry scripts is never shown in our name.
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>"#;
    let file = uploader.upload("logo.svg", "image/svg+xml", svg).await;
    if file["processingStatus"] == "ready" {
        let url = uploader.download_url(id(&file), "?disposition=inline").await;
        let header = disposition(&uploader.fetch(&url, &[]).await);
        assert!(header.starts_with("attachment"), "{header}");
    }
    settle(app).await;
}

#[tokio::test]
async fn a_download_url_is_bound_to_all_it_says() {
    let app = TestApp::start_with(|settings| settings.storage.download_ttl_secs = 1).await;
    let uploader = Uploader::new(&app).await;
    let file = uploader.upload("a.png", "image/png", &png(16, 16)).await;
    let other = uploader.upload("b.png", "image/png", &png(17, 17)).await;
    let path = format!("/files/{}/download-url", id(&file));
    let answer = uploader.person.get(&path).await.expect(200);
    let url = answer["downloadUrl"].as_str().unwrap();
    let query = url.split_once('?').unwrap().1;
    let swapped = url.replace(id(&file), id(&other));
    let mut tampered = vec![swapped, url.replace("rendition=original", "rendition=thumbnail")];
    tampered.push(url.replace("disposition=attachment", "disposition=inline"));
    for name in ["expires", "signature"] {
        let (_, value) = query.split('&').find_map(|p| p.split_once('=').filter(|p| p.0 == name)).unwrap();
        let first = if value.starts_with('1') { '2' } else { '1' };
        let changed = format!("{name}={first}{}", &value[1..]);
        tampered.push(url.replace(&format!("{name}={value}"), &changed));
    }
    for tampered in tampered {
        assert_ne!(tampered, url);
        let answer = uploader.fetch(&tampered, &[]).await;
        assert_eq!(answer.problem(403), "download_url_invalid", "{tampered}");
    }
    let expires = chrono::DateTime::parse_from_rfc3339(answer["expiresAt"].as_str().unwrap());
    let left = SystemTime::from(expires.unwrap()).duration_since(SystemTime::now());
    tokio::time::sleep(left.unwrap_or_default()).await;
    assert_eq!(uploader.fetch(url, &[]).await.problem(403), "download_url_expired");
    settle(app).await;
}

#[tokio::test]
async fn files_are_sorted_by_their_owner_only() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let stranger = Uploader::new(&app).await;
    let file = uploader.upload("a.png", "image/png", &png(16, 16)).await;
    uploader.upload("b.json", "application/json", &json_text(10)).await;
    let path = format!("/files/{}", id(&file));

    let favorite = json!({ "isFavorite": true });
    let marked = uploader.person.put(&format!("{path}/favorite"), &favorite).await.expect(200);
    assert_eq!(marked["file"]["isFavorite"], true);
    let seen = uploader.person.get(&path).await;
    let etag = seen.header("etag").unwrap().to_owned();
    let change = |body: Value| {
        uploader.person.request(Method::PUT, &path).header("if-match", &etag).json(&body)
    };
    let tags = json!({ "tags": [" hero ", "ฉากหนึ่ง", "hero"], "filename": "Hero.png" });
    let tagged = uploader.person.send(change(tags.clone())).await.expect(200);
    assert_eq!(tagged["file"]["tags"], json!(["hero", "ฉากหนึ่ง"]));
    assert_eq!((&tagged["file"]["filename"], &tagged["file"]["originalName"]), (&json!("Hero.png"), &json!("a.png")));
    assert_eq!(uploader.person.send(change(tags)).await.problem(412), "version_mismatch");
    for (body, pointer) in [
        (json!({ "tags": [""] }), "/tags/0"),
        (json!({ "tags": ["x".repeat(65)] }), "/tags/0"),
        (json!({ "tags": (0..65).map(|n| n.to_string()).collect::<Vec<_>>() }), "/tags"),
        (json!({ "filename": "" }), "/filename"),
        (json!({ "filename": "a/b.png" }), "/filename"),
        (json!({ "filename": "Hero.mp4" }), "/filename"),
        (json!({ "filename": "a\u{0}.png" }), "/filename"),
        (json!({ "processingStatus": "ready" }), "/processingStatus"),
        (json!({ "creditsCost": 0 }), "/creditsCost"),
    ] {
        let answer = uploader.person.put(&path, &body).await;
        assert_eq!(answer.problem(422), "validation_failed", "{body}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }

    let list = async |query: &str| {
        let path = format!("/projects/{}/files{query}", uploader.project);
        let files = uploader.person.get(&path).await.expect(200)["files"].clone();
        let names = files.as_array().unwrap().iter().map(|file| file["filename"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["b.json", "Hero.png"]);
    assert_eq!(list("?isFavorite=true").await, ["Hero.png"]);
    assert_eq!(list("?fileType=data").await, ["b.json"]);
    assert_eq!(list("?tag=hero").await, ["Hero.png"]);
    assert_eq!(list("?status=trashed").await, [""; 0]);

    for refused in [
        stranger.person.get(&path).await,
        stranger.person.get(&format!("{path}/events")).await,
        stranger.person.get(&format!("{path}/download-url")).await,
        stranger.person.put(&path, &json!({ "tags": [] })).await,
        stranger.person.put(&format!("{path}/favorite"), &favorite).await,
        stranger.person.post(&format!("{path}/restore"), &json!({})).await,
        stranger.person.delete(&path).await,
    ] {
        assert_eq!(refused.problem(404), "file_not_found");
    }
    settle(app).await;
}

/// Bytes that count against a person's plan, as the table has them.
async fn bytes_taken(app: &TestApp, uploader: &Uploader) -> i64 {
    let sql = format!(
        "select used_bytes + reserved_bytes + pending_delete_bytes from storage_quotas
         where user_id = '{}'",
        uploader.person.user()
    );
    app.database.admin().await.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_trash_gives_back_and_purging_does_not() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(16, 16);
    let size = i64::try_from(content.len()).unwrap();
    let file = uploader.upload("a.png", "image/png", &content).await;
    let path = format!("/files/{}", id(&file));
    let url = uploader.download_url(id(&file), "").await;
    let count = async || {
        let path = format!("/projects/{}", uploader.project);
        uploader.person.get(&path).await.expect(200)["project"]["fileCount"].clone()
    };
    let restore = format!("{path}/restore");
    let not_there = uploader.person.post(&restore, &json!({})).await;
    assert_eq!(not_there.problem(409), "file_not_ready");

    let trashed = uploader.person.delete(&path).await.expect(200);
    assert_eq!(trashed["file"]["processingStatus"], "trashed");
    assert_eq!((count().await, bytes_taken(&app, &uploader).await), (json!(0), size));
    assert_eq!(uploader.fetch(&url, &[]).await.problem(409), "file_not_ready");
    let restored = uploader.person.post(&restore, &json!({})).await.expect(200);
    assert_eq!(restored["file"]["processingStatus"], "ready");
    assert_eq!(count().await, 1);
    assert_eq!(uploader.fetch(&url, &[]).await.bytes, content);

    uploader.person.delete(&path).await.expect(200);
    let gone = uploader.person.delete(&path).await.expect(200);
    assert!(gone.get("file").is_none(), "{gone}");
    assert_eq!(uploader.person.get(&path).await.problem(404), "file_not_found");
    assert_eq!(uploader.person.delete(&path).await.problem(404), "file_not_found");
    nothing_is_kept(&app, &uploader).await;
    assert_eq!(uploader.fetch(&url, &[]).await.problem(403), "download_url_invalid");
    settle(app).await;
}

/// Waits until nothing counts against the plan any more; then nothing may be in the store.
async fn nothing_is_kept(app: &TestApp, uploader: &Uploader) {
    while bytes_taken(app, uploader).await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let admin = app.database.admin().await;
    let rows = async || admin.query("select from project_files", &[]).await.unwrap().len();
    while rows().await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let left = kept(app.data_dir());
    assert!(left.is_empty(), "{left:?}");
}

/// The files below a folder that hold somebody's bytes.
fn kept(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_object = |path: &std::path::PathBuf| path.components().any(|part| part.as_os_str() == "o" || part.as_os_str() == "t");
    let below = folders.iter().flat_map(|folder| kept(folder));
    files.into_iter().filter(is_object).chain(below).collect()
}

#[tokio::test]
async fn a_project_takes_its_files_with_it() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    for name in ["a.png", "b.png"] {
        uploader.upload(name, "image/png", &png(16, 16)).await;
    }
    // One in each state in which a client may leave it.
    uploader.grant_json(100).await;
    let uploaded = uploader.grant_json(100).await;
    uploader.put(&uploaded, json_text(100)).await.expect(200);
    let trashed = uploader.upload("c.png", "image/png", &png(16, 16)).await;
    uploader.person.delete(&format!("/files/{}", id(&trashed))).await.expect(200);
    let rejected = uploader.upload("d.png", "image/png", &json_text(100)).await;
    assert_eq!(rejected["processingStatus"], "rejected");

    uploader.person.delete(&format!("/projects/{}", uploader.project)).await.expect(200);
    let gone = uploader.person.get(&format!("/files/{}", id(&trashed))).await;
    assert_eq!(gone.problem(404), "file_not_found");
    assert_eq!(uploader.confirm(&uploaded.file).await.problem(404), "file_not_found");
    nothing_is_kept(&app, &uploader).await;
    settle(app).await;
}
