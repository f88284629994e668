use crate::world::{Person, World, new_upload, nobodys_file, with_key};
use chrono::Duration;
use eyemotion_core::{Coded, Credits, ErrorCode, ProjectId};
use eyemotion_db::idempotency::IdempotencyError;
use eyemotion_storage::{FileStatus, Files, NewUpload, StorageError};
use std::sync::Arc;

const MIB: u64 = 1 << 20;

async fn refused(world: &World, person: &Person, upload: NewUpload) -> StorageError {
    let error = world
        .files
        .upload_url(&person.ctx, upload)
        .await
        .unwrap_err();
    assert_eq!(world.quota(person.id).await, (0, 0, 0), "{error}");
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        0,
        "{error}"
    );
    error
}

#[tokio::test]
async fn a_grant_says_how_to_upload_and_reserves_room() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = new_upload(&person, "Clip.MP4", "video/mp4; codecs=avc1", 5 << 20);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    assert_eq!(grant.method, "PUT");
    assert_eq!(grant.headers["content-type"], "video/mp4");
    assert_eq!(grant.credits_needed, Credits(1));
    let ttl = grant.expires_at - eyemotion_core::Clock::now(&*world.clock);
    assert!(
        ttl <= Duration::minutes(15) && ttl > Duration::minutes(14),
        "{ttl}"
    );

    let file = world.files.get(&person.ctx, grant.file).await.unwrap();
    assert_eq!(file.status, FileStatus::Pending);
    assert_eq!((file.name.as_str(), file.size), ("Clip.MP4", 5 << 20));
    assert_eq!(world.quota(person.id).await, (0, 5 << 20, 0));
    assert_eq!(world.credits(person.id).await, 100, "not charged yet");
    assert_eq!(world.held(person.id).await, 1, "but set aside");
    assert_eq!(world.file_count(person.project).await, 0);
    world.settle().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = |name: &str, mime: &str, size| new_upload(&person, name, mime, size);

    for name in [
        "",
        "a/b.mp4",
        "a\0.mp4",
        &"x".repeat(300),
        &format!("{}.mp4", "x".repeat(1 << 20)),
    ] {
        let error = refused(&world, &person, upload(name, "video/mp4", 1)).await;
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        assert_eq!(error.field_errors()[0].pointer, "/fileName");
    }
    for (name, mime) in [
        ("a.html", "text/html"),
        ("a.mp4", "image/png"),
        ("a.exe", ""),
    ] {
        let error = refused(&world, &person, upload(name, mime, 1)).await;
        assert_eq!(
            error.code(),
            ErrorCode::UnsupportedMediaType,
            "{name} {mime}"
        );
    }
    let error = refused(&world, &person, upload("a.mp4", "video/mp4", 0)).await;
    assert_eq!(error.field_errors()[0].pointer, "/fileSize");
    let mut huge = upload("a.mp4", "video/mp4", 1);
    huge.file_size = (10 << 30) + 1;
    let error = refused(&world, &person, huge).await;
    assert_eq!(error.code(), ErrorCode::FileTooLarge);
    assert_eq!(error.members()["maxFileSize"], 10_u64 << 30);
    world.settle().await;
}

#[tokio::test]
async fn an_unknown_project_and_somebody_elses_are_the_same() {
    let world = World::new().await;
    let (person, other) = (world.person().await, world.person().await);
    for project in [ProjectId(nobodys_file().0), other.project] {
        let upload = NewUpload {
            project,
            ..new_upload(&person, "a.json", "application/json", 9)
        };
        let error = refused(&world, &person, upload).await;
        assert_eq!(error.code(), ErrorCode::ProjectNotFound);
    }
    let error = world
        .files
        .upload_url(
            &crate::world::anonymous(),
            new_upload(&person, "a.json", "", 9),
        )
        .await;
    assert_eq!(error.unwrap_err().code(), ErrorCode::Unauthenticated);
    world.settle().await;
}

#[tokio::test]
async fn without_credits_the_answer_has_the_numbers() {
    let world = World::new().await;
    let person = world.person().await;
    world.set_credits(person.id, 4).await;
    world.set_limit(person.id, 1 << 40).await;
    let mut upload = new_upload(&person, "a.mov", "video/quicktime", 1);
    upload.file_size = 512 * MIB;
    let error = refused(&world, &person, upload.clone()).await;
    assert_eq!(error.code(), ErrorCode::InsufficientCredits);
    assert_eq!(error.members()["creditsNeeded"], 5);
    assert_eq!(error.members()["creditsAvailable"], 4);
    upload.file_size = 409 * MIB;
    world.files.upload_url(&person.ctx, upload).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn without_room_the_answer_has_the_numbers() {
    let world = World::new().await;
    let person = world.person().await;
    world.set_limit(person.id, 1000).await;
    let upload = |size| new_upload(&person, "a.json", "application/json", size);
    let error = refused(&world, &person, upload(1001)).await;
    assert_eq!(error.code(), ErrorCode::QuotaExceeded);
    world
        .files
        .upload_url(&person.ctx, upload(600))
        .await
        .unwrap();
    let error = world
        .files
        .upload_url(&person.ctx, upload(401))
        .await
        .unwrap_err();
    assert_eq!(error.members()["bytesNeeded"], 401);
    assert_eq!(error.members()["bytesAvailable"], 400);
    assert_eq!(error.members()["bytesLimit"], 1000);
    world
        .files
        .upload_url(&person.ctx, upload(400))
        .await
        .unwrap();

    // Below what is in use, nothing is lost and nothing fits.
    world.set_limit(person.id, 10).await;
    let error = world
        .files
        .upload_url(&person.ctx, upload(1))
        .await
        .unwrap_err();
    assert_eq!(error.members()["bytesAvailable"], 0);
    assert_eq!(world.quota(person.id).await, (0, 1000, 0));
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_racing_grants_overshoot_by_nothing() {
    let world = Arc::new(World::new().await);
    let person = world.person().await;
    world.set_limit(person.id, 10_050).await;
    world.set_credits(person.id, 1000).await;
    let racing = (0..200).map(|_| {
        let (world, ctx) = (Arc::clone(&world), person.ctx.clone());
        let upload = new_upload(&person, "a.json", "application/json", 100);
        tokio::spawn(async move { world.files.upload_url(&ctx, upload).await })
    });
    let mut granted = 0;
    for task in racing.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(_) => granted += 1,
            Err(error) => assert_eq!(error.code(), ErrorCode::QuotaExceeded, "{error:?}"),
        }
    }
    assert_eq!(granted, 100);
    assert_eq!(world.quota(person.id).await, (0, 10_000, 0));
    Arc::into_inner(world).unwrap().settle().await;
}

#[tokio::test]
async fn one_key_has_one_effect() {
    let world = World::new().await;
    let person = world.person().await;
    let ctx = with_key(&person.ctx, "again", 1);
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let first = world.files.upload_url(&ctx, upload.clone()).await.unwrap();
    let again = world.files.upload_url(&ctx, upload.clone()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(world.quota(person.id).await, (0, 100, 0));
    let other = with_key(&person.ctx, "again", 2);
    let error = world.files.upload_url(&other, upload).await.unwrap_err();
    assert!(
        matches!(error, StorageError::Idempotency(IdempotencyError::Reused)),
        "{error:?}"
    );
    world.settle().await;
}

#[tokio::test]
async fn large_files_get_an_hour() {
    let world = World::new().await;
    let person = world.person().await;
    world.set_limit(person.id, 1 << 40).await;
    let mut upload = new_upload(&person, "a.mov", "video/quicktime", 1);
    upload.file_size = (1 << 30) + 1;
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    let ttl = grant.expires_at - eyemotion_core::Clock::now(&*world.clock);
    assert!(ttl > Duration::minutes(59), "{ttl}");
    assert_eq!(grant.credits_needed, Credits(11));
    world.settle().await;
}
