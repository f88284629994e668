//! What becomes of a file once it is in: processed, sorted, trashed, gone.

use super::clips;
use super::uploader::{Uploader, id, json_text, png, settle};
use eyemotion_testkit::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[tokio::test]
async fn a_picture_becomes_ready() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let content = png(640, 360);
    let grant = uploader
        .grant("still.png", "image/png", content.len())
        .await;
    assert_eq!(grant.answer["success"], true);
    assert_eq!(
        (&grant.answer["method"], &grant.answer["creditsNeeded"]),
        (&json!("PUT"), &json!(1))
    );
    uploader.put(&grant, content.clone()).await.expect(200);
    uploader.confirm(&grant.file).await.expect(200);

    let events = uploader.watch(&grant.file).await;
    let last = events.last().unwrap();
    assert_eq!(
        (&last["status"], &last["progress"]),
        (&json!("ready"), &json!(100)),
        "{events:?}"
    );
    assert!(
        events
            .iter()
            .all(|event| event["fileId"] == grant.file.as_str()),
        "{events:?}"
    );
    let progress: Vec<u64> = events
        .iter()
        .map(|event| event["progress"].as_u64().unwrap())
        .collect();
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
    assert!(
        thumbnail.width() <= 640 && thumbnail.height() < 360,
        "{thumbnail:?}"
    );
    let project = uploader
        .person
        .get(&format!("/projects/{}", uploader.project))
        .await
        .expect(200);
    assert_eq!(project["project"]["fileCount"], 1);
    settle(&app).await;
}

/// The file's thumbnail, decoded.
async fn thumbnail(uploader: &Uploader, file: &str) -> image::DynamicImage {
    let url = uploader
        .download_url(file, "?rendition=thumbnail&disposition=inline")
        .await;
    let answer = uploader.fetch(&url, &[]).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("image/jpeg"))
    );
    image::load_from_memory(&answer.bytes).unwrap()
}

#[tokio::test]
async fn a_clip_becomes_ready_with_the_values_of_ffprobe() {
    let Some(clips) = clips::all() else { return };
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let mut seconds = 0.0;
    for clip in &clips {
        let file = uploader
            .upload(&clip.name, clip.mime_type, &clip.content)
            .await;
        let expected = &clip.expected;
        assert_eq!(file["processingStatus"], "ready", "{}: {file}", clip.name);
        assert_eq!(file["fps"], expected.fps.as_str(), "{}", clip.name);
        assert_eq!(
            file["resolution"],
            expected.resolution.as_str(),
            "{}",
            clip.name
        );
        assert_eq!(file["codec"], expected.codec.as_str(), "{}", clip.name);
        let duration = file["duration"].as_f64().unwrap();
        let frame = 1.0 / expected.frames_a_second;
        assert!(
            (duration - expected.duration).abs() <= frame,
            "{}: {duration}",
            clip.name
        );
        seconds += duration;
        // As far as the durations agree.
        let bitrate = file["bitrate"].as_f64().unwrap();
        let tolerance = expected.bitrate * (frame / expected.duration) + 1.0;
        assert!(
            (bitrate - expected.bitrate).abs() <= tolerance,
            "{}: {bitrate}",
            clip.name
        );
        assert_eq!(file["thumbnailStatus"], "ready", "{}", clip.name);
        let thumbnail = thumbnail(&uploader, id(&file)).await;
        assert!(thumbnail.width() > 0, "{}", clip.name);
        assert_eq!(
            uploader.download(id(&file)).await.bytes,
            clip.content,
            "{}",
            clip.name
        );
    }
    let project = uploader
        .person
        .get(&format!("/projects/{}", uploader.project))
        .await
        .expect(200);
    assert_eq!(project["project"]["fileCount"], clips.len());
    let total = project["project"]["totalDuration"].as_f64().unwrap();
    assert!((total - seconds).abs() < 0.001, "{total} {seconds}");
    settle(&app).await;
}

#[tokio::test]
async fn files_are_sorted_by_their_owner_only() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let stranger = Uploader::new(&app).await;
    let file = uploader.upload("a.png", "image/png", &png(16, 16)).await;
    uploader
        .upload("b.json", "application/json", &json_text(10))
        .await;
    let path = format!("/files/{}", id(&file));

    let favorite = json!({ "isFavorite": true });
    let marked = uploader
        .person
        .put(&format!("{path}/favorite"), &favorite)
        .await
        .expect(200);
    assert_eq!(marked["file"]["isFavorite"], true);
    let seen = uploader.person.get(&path).await;
    let etag = seen.header("etag").unwrap().to_owned();
    let change = |body: Value| {
        uploader
            .person
            .request(Method::PUT, &path)
            .header("if-match", &etag)
            .json(&body)
    };
    let tags = json!({ "tags": [" hero ", "ฉากหนึ่ง", "hero"], "filename": "Hero.png" });
    let tagged = uploader.person.send(change(tags.clone())).await.expect(200);
    assert_eq!(tagged["file"]["tags"], json!(["hero", "ฉากหนึ่ง"]));
    assert_eq!(
        (&tagged["file"]["filename"], &tagged["file"]["originalName"]),
        (&json!("Hero.png"), &json!("a.png"))
    );
    assert_eq!(
        uploader.person.send(change(tags)).await.problem(412),
        "version_mismatch"
    );
    for (body, pointer) in [
        (json!({ "tags": [""] }), "/tags/0"),
        (json!({ "tags": ["x".repeat(65)] }), "/tags/0"),
        (
            json!({ "tags": (0..65).map(|n| n.to_string()).collect::<Vec<_>>() }),
            "/tags",
        ),
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
        let names = files
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["filename"].clone());
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
        stranger
            .person
            .put(&format!("{path}/favorite"), &favorite)
            .await,
        stranger
            .person
            .post(&format!("{path}/restore"), &json!({}))
            .await,
        stranger.person.delete(&path).await,
    ] {
        assert_eq!(refused.problem(404), "file_not_found");
    }
    settle(&app).await;
}

/// Bytes that count against a person's plan, as the table has them.
async fn bytes_taken(app: &TestApp, uploader: &Uploader) -> i64 {
    let sql = format!(
        "select used_bytes + reserved_bytes + pending_delete_bytes from storage_quotas
         where user_id = '{}'",
        uploader.person.user()
    );
    app.database
        .admin()
        .await
        .query_one(&sql, &[])
        .await
        .unwrap()
        .get(0)
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
    assert_eq!(
        (count().await, bytes_taken(&app, &uploader).await),
        (json!(0), size)
    );
    assert_eq!(
        uploader.fetch(&url, &[]).await.problem(409),
        "file_not_ready"
    );
    let restored = uploader.person.post(&restore, &json!({})).await.expect(200);
    assert_eq!(restored["file"]["processingStatus"], "ready");
    assert_eq!(count().await, 1);
    assert_eq!(uploader.fetch(&url, &[]).await.bytes, content);

    uploader.person.delete(&path).await.expect(200);
    let gone = uploader.person.delete(&path).await.expect(200);
    assert!(gone.get("file").is_none(), "{gone}");
    assert_eq!(
        uploader.person.get(&path).await.problem(404),
        "file_not_found"
    );
    assert_eq!(
        uploader.person.delete(&path).await.problem(404),
        "file_not_found"
    );
    nothing_is_kept(&app, &uploader).await;
    assert_eq!(
        uploader.fetch(&url, &[]).await.problem(403),
        "download_url_invalid"
    );
    settle(&app).await;
}

/// Waits until nothing counts against the plan any more; then nothing may be in the store.
pub(super) async fn nothing_is_kept(app: &TestApp, uploader: &Uploader) {
    while bytes_taken(app, uploader).await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let admin = app.database.admin().await;
    let rows = async || {
        admin
            .query("select from project_files", &[])
            .await
            .unwrap()
            .len()
    };
    while rows().await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let left = kept(app.data_dir());
    assert!(left.is_empty(), "{left:?}");
}

/// The files below a folder that hold somebody's bytes.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_object = |path: &PathBuf| {
        path.components()
            .any(|part| part.as_os_str() == "o" || part.as_os_str() == "t")
    };
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
    let waiting = uploader.grant_json(100).await;
    uploader.put(&waiting, json_text(100)).await.expect(200);
    let trashed = uploader.upload("c.png", "image/png", &png(16, 16)).await;
    uploader
        .person
        .delete(&format!("/files/{}", id(&trashed)))
        .await
        .expect(200);
    let rejected = uploader.upload("d.png", "image/png", &json_text(100)).await;
    assert_eq!(rejected["processingStatus"], "rejected");

    uploader
        .person
        .delete(&format!("/projects/{}", uploader.project))
        .await
        .expect(200);
    let gone = uploader
        .person
        .get(&format!("/files/{}", id(&trashed)))
        .await;
    assert_eq!(gone.problem(404), "file_not_found");
    assert_eq!(
        uploader.confirm(&waiting.file).await.problem(404),
        "file_not_found"
    );
    nothing_is_kept(&app, &uploader).await;
    settle(&app).await;
}
