use eyemotion_testkit::{Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

async fn project(person: &Client, name: &str) -> Value {
    person
        .post("/projects", &json!({ "name": name }))
        .await
        .expect(201)["project"]
        .clone()
}

#[tokio::test]
async fn a_project_lives() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let body = json!({
        "name": "A film", "description": "Of course", "type": "short_film",
        "settings": { "fps": "24000/1001" }, "thumbnailUrl": "https://example.com/a.jpg"
    });
    let created = person.post("/projects", &body).await.expect(201);
    assert_eq!(
        (&created["success"], &created["project"]["type"]),
        (&json!(true), &json!("short_film"))
    );
    assert!(created["message"].is_string());
    let path = format!("/projects/{}", created["project"]["id"].as_str().unwrap());

    let read = person.get(&path).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    let update = person
        .request(Method::PUT, &path)
        .header("if-match", "\"1\"");
    let updated = person
        .send(update.json(&json!({ "status": "in_progress" })))
        .await;
    assert_eq!(updated.header("etag"), Some("\"2\""));
    assert_eq!(updated.body["project"]["name"], "A film");
    let late = person
        .request(Method::PUT, &path)
        .header("if-match", "\"1\"");
    let late = person.send(late.json(&json!({ "name": "Late" }))).await;
    assert_eq!(late.problem(412), "version_mismatch");

    assert_eq!(person.delete(&path).await.status, 200);
    assert_eq!(person.get(&path).await.problem(404), "project_not_found");
    assert_eq!(person.delete(&path).await.problem(404), "project_not_found");
    assert_eq!(
        person.get("/projects").await.expect(200)["projects"],
        json!([])
    );
}

#[tokio::test]
async fn lists_page_by_cursor() {
    let app = TestApp::start().await;
    let person = app.person().await;
    for n in 0..5 {
        project(&person, &format!("film {n}")).await;
    }
    let mut names = Vec::new();
    let mut path = "/projects?limit=2".to_owned();
    loop {
        let page = person.get(&path).await.expect(200);
        names.extend(
            page["projects"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p["name"].clone()),
        );
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        path = format!("/projects?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["film 4", "film 3", "film 2", "film 1", "film 0"]);
    assert_eq!(
        person.get("/projects?limit=0").await.problem(422),
        "validation_failed"
    );
    assert_eq!(
        person.get("/projects?cursor=x").await.problem(422),
        "validation_failed"
    );
    assert_eq!(
        person.get("/projects?page=2").await.problem(400),
        "unknown_query_parameter"
    );
}

#[tokio::test]
async fn wrong_values_are_named() {
    let app = TestApp::start().await;
    let person = app.person().await;
    for (body, pointer) in [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(1024 * 1024 - 100) }), "/name"),
        (json!({ "name": "a\u{7}b" }), "/name"),
        (json!({ "name": "a", "type": "opera" }), "/type"),
        (json!({ "name": "a", "settings": [] }), "/settings"),
        (
            json!({ "name": "a", "thumbnailUrl": "javascript:alert(1)" }),
            "/thumbnailUrl",
        ),
        (json!({ "name": "a", "userId": Uuid::nil() }), "/userId"),
    ] {
        let answer = person.post("/projects", &body).await;
        assert_eq!(answer.problem(422), "validation_failed", "{pointer}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }
    assert_eq!(
        person.get("/projects").await.expect(200)["projects"],
        json!([])
    );
}

#[tokio::test]
async fn somebody_elses_project_does_not_exist() {
    let app = TestApp::start().await;
    let owner = app.person().await;
    let other = app.person().await;
    let id = project(&owner, "Mine").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let unknown = Uuid::now_v7().to_string();
    for id in [id.as_str(), unknown.as_str()] {
        let path = format!("/projects/{id}");
        assert_eq!(other.get(&path).await.problem(404), "project_not_found");
        let rename = json!({ "name": "Yours" });
        assert_eq!(
            other.put(&path, &rename).await.problem(404),
            "project_not_found"
        );
        assert_eq!(other.delete(&path).await.problem(404), "project_not_found");
        assert_eq!(
            other.get(&format!("{path}/files")).await.problem(404),
            "project_not_found"
        );
        let upload =
            json!({ "projectId": id, "fileName": "a.mp4", "fileSize": 1, "fileType": "video/mp4" });
        assert_eq!(
            other.post("/files/upload-url", &upload).await.problem(404),
            "project_not_found"
        );
    }
    assert_eq!(
        other.get("/projects/not-an-id").await.problem(404),
        "not_found"
    );
    assert_eq!(
        other
            .get(&format!("/projects/user/{}", owner.user()))
            .await
            .status,
        404
    );
    let own = owner
        .get(&format!("/projects/user/{}", owner.user()))
        .await
        .expect(200);
    assert_eq!(own["projects"].as_array().unwrap().len(), 1);
    let admin = app.database.admin().await;
    let names: Vec<String> = admin
        .query("select name from projects", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(names, ["Mine"]);
}

#[tokio::test]
async fn an_idempotency_key_makes_one_project() {
    let app = TestApp::start().await;
    let person = app.person().await;
    let create = async |key: &str, name: &str| {
        let request = person
            .request(Method::POST, "/projects")
            .header("idempotency-key", key);
        person.send(request.json(&json!({ "name": name }))).await
    };
    let (one, two) = tokio::join!(create("k1", "A"), create("k1", "A"));
    assert_eq!(
        one.expect(201)["project"]["id"],
        two.expect(201)["project"]["id"]
    );
    assert_eq!(
        create("k1", "B").await.problem(422),
        "idempotency_key_reused"
    );
    assert_eq!(
        create(&"k".repeat(256), "C").await.problem(422),
        "validation_failed"
    );
    assert_eq!(
        person.get("/projects").await.expect(200)["projects"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
