use crate::world::{World, anonymous, json_file, new_upload, request, sha256};
use bytes::Bytes;
use chrono::Duration;
use eyemotion_core::{Coded, Credits, ErrorCode};
use eyemotion_storage::{FileStatus, Files};
use std::sync::Arc;

#[tokio::test]
async fn a_confirmation_settles_everything_once() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    world.put(&grant, &json_file(100)).await.unwrap();
    assert_eq!(world.quota(person.id).await, (0, 100, 0));

    let first = world.files.confirm(&person.ctx, grant.file).await.unwrap();
    assert_eq!(first.file.status, FileStatus::Verifying);
    assert_eq!(first.file.sha256, Some(sha256(&json_file(100))));
    assert_eq!(first.remaining_credits, Credits(99));
    let again = world.files.confirm(&person.ctx, grant.file).await.unwrap();
    assert_eq!(again.file.id, first.file.id);
    assert_eq!(again.remaining_credits, Credits(99));

    assert_eq!(world.quota(person.id).await, (100, 0, 0));
    assert_eq!(world.file_count(person.project).await, 1);
    assert_eq!(
        world
            .number("select count(*) from public.test_holds where state = 'captured'")
            .await,
        1
    );
    assert_eq!(
        world
            .number("select count(*) from public.storage_reservations")
            .await,
        0
    );
    let jobs = "select count(*) from jobs.jobs where kind = 'files.process'";
    assert_eq!(world.number(jobs).await, 1);
    let log = "select string_agg(action, ' ') from public.test_activity";
    assert_eq!(
        world.text(log).await,
        "file.upload_requested file.upload_confirmed"
    );

    world.work().await;
    let done = world.files.confirm(&person.ctx, grant.file).await.unwrap();
    assert_eq!(done.file.status, FileStatus::Ready, "also when all is done");
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_racing_confirmations_charge_once() {
    let world = Arc::new(World::new().await);
    let person = world.person().await;
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    world.put(&grant, &json_file(100)).await.unwrap();
    let racing = (0..20).map(|_| {
        let (world, ctx, file) = (Arc::clone(&world), person.ctx.clone(), grant.file);
        tokio::spawn(async move { world.files.confirm(&ctx, file).await })
    });
    for task in racing.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap().unwrap().remaining_credits, Credits(99));
    }
    assert_eq!(world.credits(person.id).await, 99);
    assert_eq!(world.quota(person.id).await, (100, 0, 0));
    assert_eq!(world.file_count(person.project).await, 1);
    Arc::into_inner(world).unwrap().settle().await;
}

#[tokio::test]
async fn there_is_nothing_to_confirm_before_the_bytes_are_here() {
    let world = World::new().await;
    let (person, other) = (world.person().await, world.person().await);
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    let confirm = async || {
        world
            .files
            .confirm(&person.ctx, grant.file)
            .await
            .map(|_| ())
            .map_err(|e| e.code())
    };
    assert_eq!(confirm().await, Err(ErrorCode::UploadMissing));
    let mut upload = world
        .files
        .begin_upload(&anonymous(), request(&grant, None))
        .await
        .unwrap();
    upload.write(Bytes::from(json_file(100))).await.unwrap();
    assert_eq!(confirm().await, Err(ErrorCode::UploadInProgress));
    upload.finish().await.unwrap();

    let error = world
        .files
        .confirm(&other.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::FileNotFound,
        "it is somebody else's"
    );
    let error = world
        .files
        .confirm(&anonymous(), grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unauthenticated);
    assert_eq!(world.credits(person.id).await, 100);
    confirm().await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn late_is_late() {
    let world = World::new().await;
    let person = world.person().await;
    let new = || new_upload(&person, "a.json", "application/json", 100);
    let never_sent = world.files.upload_url(&person.ctx, new()).await.unwrap();
    let sent = world.files.upload_url(&person.ctx, new()).await.unwrap();
    world.put(&sent, &json_file(100)).await.unwrap();
    world.advance(Duration::minutes(20));
    let error = world
        .files
        .confirm(&person.ctx, never_sent.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadExpired);
    world.advance(Duration::hours(24));
    let error = world
        .files
        .confirm(&person.ctx, sent.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadExpired);
    assert_eq!(world.credits(person.id).await, 100);
    world.settle().await;
}

#[tokio::test]
async fn who_cannot_pay_any_more_keeps_the_upload_for_a_while() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    world.put(&grant, &json_file(100)).await.unwrap();
    // The hold took too long, and the credits went elsewhere.
    world
        .admin("update public.test_holds set state = 'expired'; update public.test_wallets set held = 0")
        .await;
    world.set_credits(person.id, 0).await;
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InsufficientCredits);
    assert_eq!(error.members()["creditsAvailable"], 0);
    assert_eq!(
        world.quota(person.id).await,
        (0, 100, 0),
        "nothing has happened"
    );
    assert_eq!(world.file_count(person.project).await, 0);
    assert_eq!(world.number("select count(*) from jobs.jobs").await, 0);
    world.set_credits(person.id, 1).await;
    let confirmed = world.files.confirm(&person.ctx, grant.file).await.unwrap();
    assert_eq!(confirmed.remaining_credits, Credits(0));
    world.settle().await;
}

#[tokio::test]
async fn an_object_that_changed_size_is_not_taken() {
    let world = World::new().await;
    let person = world.person().await;
    let upload = new_upload(&person, "a.json", "application/json", 100);
    let grant = world.files.upload_url(&person.ctx, upload).await.unwrap();
    world.put(&grant, &json_file(100)).await.unwrap();
    let object = world.store_dir().join(&world.objects()[0]);
    std::fs::write(&object, b"short").unwrap();
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::SizeMismatch);
    std::fs::remove_file(&object).unwrap();
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadMissing);
    assert_eq!(world.credits(person.id).await, 100);
    world.settle().await;
}
