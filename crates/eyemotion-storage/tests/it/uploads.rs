use crate::world::{Person, World, anonymous, json_file, new_upload, request, sha256};
use bytes::Bytes;
use chrono::Duration;
use eyemotion_core::{Coded, ErrorCode};
use eyemotion_storage::{FileStatus, Files, UploadGrant, UploadRequest};
use std::sync::atomic::Ordering;

pub async fn grant(world: &World, person: &Person, size: usize) -> UploadGrant {
    let upload = new_upload(person, "a.json", "application/json", size);
    world.files.upload_url(&person.ctx, upload).await.unwrap()
}

pub async fn status(world: &World, grant: &UploadGrant) -> String {
    let sql = format!(
        "select processing_status from public.project_files where id = '{}'",
        grant.file
    );
    world.text(&sql).await
}

/// Giving up is noted by a task of its own.
async fn until_pending(world: &World, grant: &UploadGrant) {
    while status(world, grant).await != "pending" || !world.objects().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn begin_error(world: &World, put: UploadRequest) -> ErrorCode {
    world
        .files
        .begin_upload(&anonymous(), put)
        .await
        .unwrap_err()
        .code()
}

#[tokio::test]
async fn bytes_arrive_whole_hashed_and_under_their_key() {
    let world = World::new().await;
    let person = world.person().await;
    // Not a multiple of any buffer.
    let bytes = json_file((3 << 20) + 12_345);
    let grant = grant(&world, &person, bytes.len()).await;
    let uploaded = world.put(&grant, &bytes).await.unwrap();
    assert_eq!(
        (uploaded.size, uploaded.sha256),
        (bytes.len() as u64, sha256(&bytes))
    );
    let file = world.files.get(&person.ctx, grant.file).await.unwrap();
    assert_eq!(file.status, FileStatus::Uploaded);
    assert_eq!(file.sha256, Some(sha256(&bytes)));

    let objects = world.objects();
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert!(objects[0].starts_with(format!("o/{}/{}", person.id, grant.file)));
    assert!(objects[0].ends_with("original"));
    assert_eq!(
        std::fs::read(world.store_dir().join(&objects[0])).unwrap(),
        bytes
    );
    world.settle().await;
}

#[tokio::test]
async fn pieces_of_any_size_make_the_same_file() {
    let world = World::new().await;
    let person = world.person().await;
    let bytes = json_file((1 << 20) + 7);
    let grant = grant(&world, &person, bytes.len()).await;
    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    let mut rest = Bytes::from(bytes.clone());
    for size in [1, 2, 3, 1_000, (1 << 20) - 900, 0, 5] {
        upload
            .write(rest.split_to(size.min(rest.len())))
            .await
            .unwrap();
    }
    upload.write(rest).await.unwrap();
    assert_eq!(upload.finish().await.unwrap().sha256, sha256(&bytes));
    world.settle().await;
}

#[tokio::test]
async fn a_url_that_was_tampered_with_is_refused() {
    let world = World::new().await;
    let person = world.person().await;
    let (grant, other) = (
        grant(&world, &person, 10).await,
        grant(&world, &person, 10).await,
    );
    let put = request(&grant, Some(10));
    for tampered in [
        UploadRequest {
            file: other.file,
            ..put.clone()
        },
        UploadRequest {
            file: crate::world::nobodys_file(),
            ..put.clone()
        },
        UploadRequest {
            expires: put.expires + 1,
            ..put.clone()
        },
        UploadRequest {
            signature: put.signature.to_lowercase(),
            ..put.clone()
        },
        UploadRequest {
            signature: String::new(),
            ..put.clone()
        },
    ] {
        assert_eq!(
            begin_error(&world, tampered).await,
            ErrorCode::UploadUrlInvalid
        );
    }
    // What was signed is the declared size and type; a row that says otherwise has no URL.
    let tamper = format!(
        "update public.project_files set file_size = 11 where id = '{}'",
        grant.file
    );
    world.admin(&tamper).await;
    assert_eq!(begin_error(&world, put).await, ErrorCode::UploadUrlInvalid);
}

#[tokio::test]
async fn a_url_works_until_it_expires() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    world.advance(Duration::minutes(14));
    drop(
        world
            .files
            .begin_upload(&anonymous(), request(&grant, None))
            .await
            .unwrap(),
    );
    until_pending(&world, &grant).await;
    world.advance(Duration::minutes(1));
    let error = begin_error(&world, request(&grant, None)).await;
    assert_eq!(error, ErrorCode::UploadUrlExpired);
    world.settle().await;
}

#[tokio::test]
async fn type_and_length_are_those_declared() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    let put = request(&grant, Some(10));
    for content_type in [
        None,
        Some("text/html".to_owned()),
        Some("video/mp4".to_owned()),
    ] {
        let put = UploadRequest {
            content_type,
            ..put.clone()
        };
        assert_eq!(
            begin_error(&world, put).await,
            ErrorCode::UnsupportedMediaType
        );
    }
    for length in [0, 9, 11] {
        let put = UploadRequest {
            content_length: Some(length),
            ..put.clone()
        };
        assert_eq!(begin_error(&world, put).await, ErrorCode::SizeMismatch);
    }
    // An alias is the same type, and parameters do not matter.
    let content_type = Some("Text/JSON; charset=utf-8".to_owned());
    let upload = UploadRequest {
        content_type,
        ..put
    };
    world
        .files
        .begin_upload(&anonymous(), upload)
        .await
        .unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_lying_size_stops_the_upload_and_the_url_works_again() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;

    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    upload.write(Bytes::from_static(b"12345")).await.unwrap();
    let error = upload
        .write(Bytes::from_static(b"678901"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::SizeMismatch);
    assert_eq!(error.members()["declaredSize"], 10);
    assert!(
        upload.write(Bytes::from_static(b"x")).await.is_err(),
        "it stays stopped"
    );
    drop(upload);
    until_pending(&world, &grant).await;

    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    upload.write(Bytes::from_static(b"12345")).await.unwrap();
    assert_eq!(
        upload.finish().await.unwrap_err().code(),
        ErrorCode::SizeMismatch
    );
    until_pending(&world, &grant).await;

    world.put(&grant, &json_file(10)).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_declared_checksum_is_kept() {
    let world = World::new().await;
    let person = world.person().await;
    let bytes = json_file(100);
    let mut upload = new_upload(&person, "a.json", "application/json", 100);
    upload.sha256 = Some(sha256(&bytes));
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    let error = world.put(&grant, &[b'x'; 100]).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ChecksumMismatch);
    until_pending(&world, &grant).await;
    world.put(&grant, &bytes).await.unwrap();
    world.files.confirm(&person.ctx, grant.file).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn a_url_brings_one_file_only() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    world.put(&grant, &json_file(10)).await.unwrap();
    for _ in 0..2 {
        let error = world.put(&grant, b"0123456789").await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UploadAlreadyCompleted);
        world.files.confirm(&person.ctx, grant.file).await.unwrap();
    }
    assert_eq!(world.objects().len(), 1);
    world.settle().await;
}

#[tokio::test]
async fn a_client_that_goes_away_may_come_back() {
    let world = World::new().await;
    let person = world.person().await;
    let bytes = json_file(3 << 20);
    let grant = grant(&world, &person, bytes.len()).await;
    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    upload
        .write(Bytes::copy_from_slice(&bytes[..2 << 20]))
        .await
        .unwrap();
    drop(upload);
    until_pending(&world, &grant).await;
    assert_eq!(
        world.put(&grant, &bytes).await.unwrap().sha256,
        sha256(&bytes)
    );
    world.settle().await;
}

#[tokio::test]
async fn a_full_store_is_503_and_leaves_nothing() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    world.blobs.is_full.store(true, Ordering::Relaxed);
    let error = world.put(&grant, &json_file(10)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StorageUnavailable);
    until_pending(&world, &grant).await;
    world.blobs.is_full.store(false, Ordering::Relaxed);
    world.put(&grant, &json_file(10)).await.unwrap();
    world.settle().await;
}
