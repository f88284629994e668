use super::stage::Stage;
use eyemotion_testkit::{Answer, Client};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::time::Instant;
use zip::ZipArchive;

async fn export(person: &Client) -> Answer {
    person.post("/auth/account/export", &json!({})).await
}

/// The files of an archive by name.
fn unzip(answer: &Answer) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(Cursor::new(&answer.bytes)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn an_export_says_what_the_database_says() {
    let stage = Stage::new().await;
    let maker = stage.filmmaker().await;
    let other = stage.filmmaker().await;
    let person = maker.person.user();
    stage
        .execute(&super::coverage::rows_everywhere(person, 1))
        .await;
    stage
        .execute(&super::coverage::rows_everywhere(other.person.user(), 2))
        .await;
    let answer = export(&maker.person).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/zip"));
    let disposition = answer.header("content-disposition").unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"eyemotion-"),
        "{disposition}"
    );
    let files = unzip(&answer);
    assert!(files["README.txt"].contains("files.ndjson"));
    let profile: Value = serde_json::from_str(&files["profile.json"]).unwrap();
    assert_eq!(profile["account"]["id"], person);
    assert_eq!(profile["profile"]["full_name"], "A Person");

    for table in stage.app.services().privacy.personal_tables() {
        let rows: Vec<Value> = match table.section {
            "account" | "profile" => vec![profile[table.section].clone()],
            section => lines(&files[&format!("{section}.ndjson")]),
        };
        let key: Vec<&str> = table.key.iter().map(|(name, _)| *name).collect();
        let stored = stage
            .texts(&format!(
                "select row_to_json(t)::text from {} t where {} = '{person}' order by {}",
                table.table,
                table.owner,
                key.join(", ")
            ))
            .await;
        // The export itself has left a line in the log, and the mails may have moved on.
        assert_eq!(rows.len(), stored.len(), "{}", table.table);
        assert!(!rows.is_empty(), "{} has no row to compare", table.table);
        for (row, stored) in rows.iter().zip(&stored) {
            let stored: Value = serde_json::from_str(stored).unwrap();
            for column in table.exported.iter().filter(|column| !column.contains(' ')) {
                assert_eq!(row[column], stored[column], "{} {column}", table.table);
            }
            for (column, _) in table.withheld {
                assert!(row.get(column).is_none(), "{} {column}", table.table);
            }
        }
    }
    let all: String = files.values().cloned().collect();
    assert!(!all.contains(other.person.user()), "somebody else is in it");
    let secrets = "select password_hash from auth.users where password_hash is not null
        union all select encode(token_hash, 'hex') from auth.one_time_tokens
        union all select encode(code_hash, 'hex') from auth.one_time_tokens
        union all select encode(token_hash, 'hex') from api_keys
        union all select encode(secret, 'hex') from auth.factors
        union all select upload_lease_token::text from project_files where upload_lease_token is not null";
    let secrets = stage.texts(secrets).await;
    assert!(secrets.len() > 5, "{secrets:?}");
    for secret in secrets {
        assert!(!all.contains(&secret), "a secret is in it");
    }

    // The list of files leads to their bytes.
    let file = &lines(&files["files.ndjson"])[0];
    assert_eq!(file["filename"], "scene.json");
    assert_eq!(file["file_size"], 11);
    assert_eq!(file["sha256"].as_str().map(str::len), Some(64));
    stage.execute("delete from auth.account_deletions").await;
    let path = file["download"].as_str().unwrap().replace("/api/v1", "");
    // Another process's word is heard within a second.
    let mut answer = maker.person.get(&path).await;
    for _ in 0..200 {
        if answer.status != 401 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        answer = maker.person.get(&path).await;
    }
    answer.expect(200);
}

#[tokio::test]
async fn an_export_that_fails_midway_has_no_end() {
    let stage = Stage::new().await;
    let person = stage.app.person().await;
    stage
        .execute("revoke select on activity_logs from service_role")
        .await;
    let request = person
        .request(reqwest::Method::POST, "/auth/account/export")
        .json(&json!({}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap_err();
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_exported_within_a_minute() {
    let stage = Stage::new().await;
    let person = stage.app.person().await;
    let many = format!(
        "insert into activity_logs (user_id, action, details)
         select '{}', 'project.updated', jsonb_build_object('number', n) from generate_series(1, 100000) n",
        person.user()
    );
    stage.execute(&many).await;
    let started = Instant::now();
    let answer = export(&person).await;
    let elapsed = started.elapsed();
    let files = unzip(&answer);
    let numbers: std::collections::BTreeSet<i64> = lines(&files["activity.ndjson"])
        .iter()
        .filter_map(|line| line["details"]["number"].as_i64())
        .collect();
    assert_eq!(numbers.len(), 100_000);
    assert!(elapsed.as_secs() < 60, "{elapsed:?}");
}
