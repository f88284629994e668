//! Who may write a file's bytes, and for how long.

use crate::uploads::{grant, status};
use crate::world::{World, anonymous, json_file, request, sha256};
use bytes::Bytes;
use chrono::Duration;
use eyemotion_core::{Clock, Coded, ErrorCode};
use eyemotion_storage::{Files, StorageConfig, StorageError};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_uploads_one_goes_on() {
    let world = Arc::new(World::new().await);
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    let racing = (0..20).map(|_| {
        let (world, put) = (Arc::clone(&world), request(&grant, None));
        tokio::spawn(async move { world.files.begin_upload(&anonymous(), put).await })
    });
    let mut uploads = Vec::new();
    for task in racing.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(upload) => uploads.push(upload),
            Err(error) => assert_eq!(error.code(), ErrorCode::UploadInProgress, "{error:?}"),
        }
    }
    assert_eq!(uploads.len(), 1);
    let mut upload = uploads.pop().unwrap();
    upload.write(Bytes::from(json_file(10))).await.unwrap();
    upload.finish().await.unwrap();
    Arc::into_inner(world).unwrap().settle().await;
}

#[tokio::test]
async fn a_stalled_upload_is_overtaken_and_stops() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    let begin = async || {
        world
            .files
            .begin_upload(&anonymous(), request(&grant, None))
            .await
    };
    let mut stalled = begin().await.unwrap();
    stalled.write(Bytes::from_static(b"x")).await.unwrap();
    world.advance(Duration::seconds(14));
    assert_eq!(
        begin().await.unwrap_err().code(),
        ErrorCode::UploadInProgress
    );
    // Bytes flow again before anybody takes over: the lease is renewed.
    stalled.write(Bytes::from_static(b"x")).await.unwrap();
    world.advance(Duration::seconds(14));
    assert_eq!(
        begin().await.unwrap_err().code(),
        ErrorCode::UploadInProgress
    );

    world.advance(Duration::seconds(2));
    let mut second = begin().await.unwrap();
    let error = stalled.write(Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadInProgress);
    drop(stalled);
    second.write(Bytes::from(json_file(10))).await.unwrap();
    second.finish().await.unwrap();
    assert_eq!(status(&world, &grant).await, "uploaded");
    world.settle().await;
}

#[tokio::test]
async fn whoever_lost_the_lease_cannot_finish_over_the_winner() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    let mut loser = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    loser
        .write(Bytes::from_static(b"loser....."))
        .await
        .unwrap();
    world.advance(Duration::seconds(16));
    world.put(&grant, &json_file(10)).await.unwrap();
    assert!(matches!(
        loser.finish().await,
        Err(StorageError::UploadInProgress)
    ));
    let file = world.files.get(&person.ctx, grant.file).await.unwrap();
    assert_eq!(file.sha256, Some(sha256(&json_file(10))));
    while world.objects().len() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(
        std::fs::read(world.store_dir().join(&world.objects()[0])).unwrap(),
        json_file(10)
    );
    world.settle().await;
}

#[tokio::test]
async fn the_lease_is_kept_while_gigabytes_are_synced() {
    let config = StorageConfig {
        lease_renewal: Duration::milliseconds(10),
        ..StorageConfig::default()
    };
    let world = World::with(config).await;
    let person = world.person().await;
    let grant = grant(&world, &person, 10).await;
    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    upload.write(Bytes::from(json_file(10))).await.unwrap();
    let sealing = Arc::clone(&world.blobs.seals)
        .acquire_owned()
        .await
        .unwrap();
    let finishing = tokio::spawn(upload.finish());
    world.advance(Duration::seconds(16));
    let renewed = format!(
        "select count(*) from public.project_files where id = '{}'
         and upload_lease_until > '{}'",
        grant.file,
        (world.clock.now() + Duration::seconds(14)).to_rfc3339(),
    );
    while world.number(&renewed).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    drop(sealing);
    finishing.await.unwrap().unwrap();
    world.settle().await;
}
