//! What a crash leaves, and uploads that go to the store directly.

use crate::world::{Person, World, anonymous, json_file, new_upload, request, sha256};
use bytes::Bytes;
use chrono::Duration;
use eyemotion_core::{Coded, ErrorCode};
use eyemotion_storage::{BlobStore, FilePrefix, FileStatus, Files, SweepUploads, UploadGrant};
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// As if the process had died after the object got its key and before the row knew.
async fn die_after_rename(world: &World, person: &Person, bytes: &[u8]) -> UploadGrant {
    let upload = new_upload(person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    let upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    // Neither finished nor dropped.
    std::mem::forget(upload);
    store(world, person, &grant, bytes).await;
    grant
}

/// Puts an object where the row expects it.
async fn store(world: &World, person: &Person, grant: &UploadGrant, bytes: &[u8]) {
    let sql = format!(
        "select upload_lease_token from public.project_files where id = '{}'",
        grant.file
    );
    let version: Uuid = world.text(&sql).await.parse().unwrap();
    let key = FilePrefix {
        owner: person.id,
        file: grant.file,
    }
    .original(version);
    world
        .blobs
        .put(&key, Bytes::copy_from_slice(bytes))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_upload_that_arrived_unnoticed_is_confirmed() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = die_after_rename(&world, &person, &json_file(100)).await;
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::UploadInProgress,
        "somebody might be writing"
    );
    world.advance(Duration::seconds(16));
    let confirmed = world.files.confirm(&person.ctx, grant.file).await.unwrap();
    assert_eq!(confirmed.file.sha256, Some(sha256(&json_file(100))));
    world.work().await;
    let file = world.files.get(&person.ctx, grant.file).await.unwrap();
    assert_eq!(file.status, FileStatus::Ready);
    world.settle().await;
}

#[tokio::test]
async fn or_found_by_the_sweep_or_by_the_next_put() {
    let world = World::new().await;
    let person = world.person().await;
    let swept = die_after_rename(&world, &person, &json_file(100)).await;
    let sent_again = die_after_rename(&world, &person, &json_file(100)).await;
    world.advance(Duration::seconds(16));
    let error = world.put(&sent_again, &json_file(100)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadAlreadyCompleted);
    world.run_job(&SweepUploads {}).await;
    for grant in [&swept, &sent_again] {
        let file = world.files.get(&person.ctx, grant.file).await.unwrap();
        assert_eq!(file.status, FileStatus::Uploaded);
        world.files.confirm(&person.ctx, grant.file).await.unwrap();
    }
    world.settle().await;
}

#[tokio::test]
async fn half_an_object_is_no_upload() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = die_after_rename(&world, &person, b"half").await;
    world.advance(Duration::seconds(16));
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadMissing);
    world.put(&grant, &json_file(100)).await.unwrap();
    world.files.confirm(&person.ctx, grant.file).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_writer_that_died_is_swept_up_and_the_url_works_again() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    upload.write(Bytes::from_static(b"half")).await.unwrap();
    std::mem::forget(upload);
    assert_eq!(world.objects().len(), 1);
    world.run_job(&SweepUploads {}).await;
    assert_eq!(world.objects().len(), 1, "the lease still runs");
    world.advance(Duration::seconds(16));
    world.run_job(&SweepUploads {}).await;
    assert!(world.objects().is_empty());
    let file = world.files.get(&person.ctx, grant.file).await.unwrap();
    assert_eq!(file.status, FileStatus::Pending);
    world.put(&grant, &json_file(100)).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_store_may_take_uploads_itself() {
    let world = World::new().await;
    let person = world.person().await;
    world.blobs.presigns.store(true, Ordering::Relaxed);
    let mut upload = new_upload(&person, "a.json", "application/json", 100);
    upload.sha256 = Some(sha256(&json_file(100)));
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    assert!(
        grant
            .url
            .starts_with(&format!("https://store.example/o/{}/", person.id))
    );
    assert_eq!(grant.headers["x-test-size"], "100");

    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadMissing);
    store(&world, &person, &grant, &[b'x'; 100]).await;
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::UploadMissing,
        "other content than declared is none"
    );
    store(&world, &person, &grant, &json_file(100)).await;
    world.files.confirm(&person.ctx, grant.file).await.unwrap();
    world.work().await;
    let file = world.files.get(&person.ctx, grant.file).await.unwrap();
    assert_eq!(file.status, FileStatus::Ready);
    world.settle().await;
}
