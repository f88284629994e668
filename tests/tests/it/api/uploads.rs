//! Who may upload what: before the first byte, and when it is confirmed.

use super::uploader::{Uploader, json_text, settle};
use eyemotion_testkit::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const GIB: u64 = 1 << 30;

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
        assert_eq!(
            answer.problem(415),
            "unsupported_media_type",
            "{name} {mime_type}"
        );
    }
    settle(&app).await;
}

#[tokio::test]
async fn sizes_that_cannot_be_are_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    for size in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("5"),
        json!(null),
        json!(1e300),
    ] {
        let answer = uploader.ask("clip.mp4", "video/mp4", size.clone()).await;
        assert_eq!(answer.problem(422), "validation_failed", "{size}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/fileSize", "{size}");
    }
    let answer = uploader.ask("clip.mp4", "video/mp4", 10 * GIB + 1).await;
    assert_eq!(answer.problem(413), "file_too_large");
    assert_eq!(answer.body["fileSize"], 10 * GIB + 1);
    assert_eq!(answer.body["maxFileSize"], 10 * GIB);
    settle(&app).await;
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let long = format!("{}.mp4", "x".repeat(1000));
    let huge = format!("{}.mp4", "x".repeat(1024 * 1024 - 1000));
    for name in [
        "",
        "../../etc/passwd.mp4",
        "a\u{0}b.mp4",
        "a\nb.mp4",
        &long,
        &huge,
    ] {
        let answer = uploader.ask(name, "video/mp4", 5).await;
        assert_eq!(answer.problem(422), "validation_failed", "{name:.20}");
        assert_eq!(
            answer.body["errors"][0]["pointer"], "/fileName",
            "{name:.20}"
        );
    }
    let mut unknown = uploader.declaration("clip.mp4", "video/mp4", 5);
    unknown["creditsNeeded"] = json!(0);
    let answer = uploader.person.post("/files/upload-url", &unknown).await;
    assert_eq!(answer.body["errors"][0]["pointer"], "/creditsNeeded");
    settle(&app).await;
}

#[tokio::test]
async fn confirming_comes_after_uploading_and_once() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    assert_eq!(
        uploader.confirm(&grant.file).await.problem(409),
        "upload_missing"
    );
    uploader.put(&grant, json_text(100)).await.expect(200);
    assert_eq!(
        uploader.credits().await,
        99,
        "what an upload costs is held from its beginning"
    );

    let first = uploader.confirm(&grant.file).await.expect(200);
    assert_eq!(
        (&first["success"], &first["fileId"]),
        (&json!(true), &json!(grant.file))
    );
    assert!(first["message"].is_string());
    assert_eq!(first["remainingCredits"], 99);
    let again = uploader.confirm(&grant.file).await.expect(200);
    assert_eq!(again["remainingCredits"], 99);
    assert_eq!(uploader.credits().await, 99);
    settle(&app).await;
}

#[tokio::test]
async fn somebody_elses_upload_does_not_exist() {
    let app = TestApp::start().await;
    let owner = Uploader::new(&app).await;
    let other = Uploader::new(&app).await;
    let grant = owner.grant_json(100).await;
    owner.put(&grant, json_text(100)).await.expect(200);
    assert_eq!(
        other.confirm(&grant.file).await.problem(404),
        "file_not_found"
    );
    assert_eq!(other.credits().await, 100);
    let into = other.declaration("a.json", "application/json", 100);
    assert_eq!(
        owner
            .person
            .post("/files/upload-url", &into)
            .await
            .problem(404),
        "project_not_found"
    );
    let nobody = app
        .anonymous()
        .post(&format!("/files/{}/confirm", grant.file), &json!({}))
        .await;
    assert_eq!(nobody.problem(401), "unauthenticated");
    settle(&app).await;
}

#[tokio::test]
async fn what_cannot_be_paid_is_not_begun() {
    let app = TestApp::start_with(|settings| settings.storage.max_file_bytes = 20 * GIB).await;
    let uploader = Uploader::new(&app).await;
    // 11 GiB cost 110 credits; freemium has 100 of them and room for less.
    let room = "update storage_quotas set limit_bytes = 1::bigint << 40";
    app.database
        .admin()
        .await
        .batch_execute(room)
        .await
        .unwrap();
    let answer = uploader.ask("film.mp4", "video/mp4", 11 * GIB).await;
    assert_eq!(answer.problem(402), "insufficient_credits");
    assert_eq!(answer.body["creditsNeeded"], 110);
    assert_eq!(answer.body["creditsAvailable"], 100);
    let answer = uploader
        .ask("film.mp4", "video/mp4", 10 * GIB)
        .await
        .expect(201);
    assert_eq!(answer["creditsNeeded"], 100);
    settle(&app).await;
}

#[tokio::test]
async fn what_is_spent_meanwhile_leaves_what_the_upload_holds() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let grant = uploader.grant_json(100).await;
    uploader.put(&grant, json_text(100)).await.expect(200);
    uploader.adjust_credits(&app, -99).await;
    let declaration = uploader.declaration("other.json", "application/json", 5);
    let other = uploader
        .person
        .post("/files/upload-url", &declaration)
        .await;
    assert_eq!(other.problem(402), "insufficient_credits");
    assert_eq!(other.body["creditsNeeded"], 1);
    assert_eq!(other.body["creditsAvailable"], 0);
    let answer = uploader.confirm(&grant.file).await.expect(200);
    assert_eq!(answer["remainingCredits"], 0);
    uploader.watch(&grant.file).await;
    assert_eq!(
        uploader.file(&grant.file).await["processingStatus"],
        "ready"
    );
    settle(&app).await;
}

#[tokio::test]
async fn a_full_plan_takes_nothing_more() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let limit = GIB;
    uploader
        .ask("a.mp4", "video/mp4", limit - 100)
        .await
        .expect(201);
    let answer = uploader.ask("b.mp4", "video/mp4", 101).await;
    assert_eq!(answer.problem(402), "quota_exceeded");
    assert_eq!(answer.body["bytesNeeded"], 101);
    assert_eq!(answer.body["bytesAvailable"], 100);
    assert_eq!(answer.body["bytesLimit"], limit);
    uploader.ask("b.mp4", "video/mp4", 100).await.expect(201);
    let answer = uploader.ask("c.mp4", "video/mp4", 1).await;
    assert_eq!(answer.problem(402), "quota_exceeded");
    settle(&app).await;
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
    settle(&app).await;
}

#[tokio::test]
async fn an_idempotency_key_gives_one_grant() {
    let app = TestApp::start().await;
    let uploader = Uploader::new(&app).await;
    let ask = async |size: usize| {
        let body = uploader.declaration("a.json", "application/json", size);
        let request = uploader.person.request(Method::POST, "/files/upload-url");
        uploader
            .person
            .send(request.header("idempotency-key", "take-1").json(&body))
            .await
    };
    let (one, two) = tokio::join!(ask(100), ask(100));
    let (one, two): (Value, Value) = (one.expect(201), two.expect(201));
    assert_eq!(one["uploadUrl"], two["uploadUrl"]);
    assert_eq!(ask(101).await.problem(422), "idempotency_key_reused");
    let files = uploader
        .person
        .get(&format!("/projects/{}/files", uploader.project))
        .await
        .expect(200);
    assert_eq!(files["files"].as_array().unwrap().len(), 1);
    settle(&app).await;
}
