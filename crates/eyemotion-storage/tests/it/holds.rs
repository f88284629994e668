//! Credits are set aside with the leave to upload, and taken or given back with what becomes of it.

use crate::fakes::Ledger;
use crate::world::{Person, World, json_file, new_upload};
use chrono::Duration;
use eyemotion_core::{Coded, Credits, ErrorCode};
use eyemotion_ports::ProjectContents;
use eyemotion_storage::{FileStatus, Files, ProjectFiles, SweepUploads, UploadGrant};
use std::sync::Arc;

async fn granted(world: &World, person: &Person) -> UploadGrant {
    let upload = new_upload(person, "a.json", "application/json", 100);
    world.files.upload_url(&person.ctx, upload).await.unwrap()
}

async fn set_processing_price(world: &World, credits: i64) {
    let sql =
        format!("update public.test_prices set item = {credits} where action = 'file_processing'");
    world.admin(&sql).await;
}

#[tokio::test]
async fn what_is_promised_to_one_upload_is_not_to_another() {
    let world = World::new().await;
    let person = world.person().await;
    world.set_credits(person.id, 1).await;
    let first = granted(&world, &person).await;
    let second = new_upload(&person, "b.json", "application/json", 100);
    let error = world
        .files
        .upload_url(&person.ctx, second)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InsufficientCredits);
    assert_eq!(error.members()["creditsNeeded"], 1);
    assert_eq!(error.members()["creditsAvailable"], 0);

    world.put(&first, &json_file(100)).await.unwrap();
    let confirmed = world.files.confirm(&person.ctx, first.file).await.unwrap();
    assert_eq!(confirmed.remaining_credits, Credits(0));
    assert_eq!(
        (world.credits(person.id).await, world.held(person.id).await),
        (0, 0)
    );
    world.settle().await;
}

#[tokio::test]
async fn an_upload_that_comes_to_nothing_gives_its_credits_back() {
    let world = World::new().await;
    let person = world.person().await;
    let cancelled = granted(&world, &person).await;
    world
        .files
        .delete(&person.ctx, cancelled.file, None)
        .await
        .unwrap();
    assert_eq!(world.held(person.id).await, 0);

    let forgotten = granted(&world, &person).await;
    let unconfirmed = granted(&world, &person).await;
    world.put(&unconfirmed, &json_file(100)).await.unwrap();
    assert_eq!(world.held(person.id).await, 2);
    world.advance(Duration::hours(2));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(world.held(person.id).await, 1, "{}", forgotten.file);
    world.advance(Duration::hours(24));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(world.held(person.id).await, 0);

    granted(&world, &person).await;
    let mut tx = world.db.begin_for(&person.ctx).await.unwrap();
    ProjectFiles::new(Arc::clone(&world.clock) as _, Arc::new(Ledger))
        .discard(&mut tx, &person.ctx, person.project)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        (world.credits(person.id).await, world.held(person.id).await),
        (100, 0)
    );
    world.settle().await;
}

#[tokio::test]
async fn a_hold_lives_as_long_as_its_upload_may() {
    let world = World::new().await;
    let person = world.person().await;
    let grant = granted(&world, &person).await;
    let late = async |world: &World| {
        let sql = "select count(*) from public.test_holds h join public.project_files f on f.id::text = h.resource
            where h.expires_at <= f.upload_expires_at";
        world.number(sql).await
    };
    assert_eq!(late(&world).await, 0);
    world.advance(Duration::minutes(14));
    world.put(&grant, &json_file(100)).await.unwrap();
    assert_eq!(late(&world).await, 0, "a day more to confirm");
    world.settle().await;
}

#[tokio::test]
async fn processing_is_paid_when_the_file_is_ready() {
    let world = World::new().await;
    let person = world.person().await;
    set_processing_price(&world, 5).await;
    let bytes = json_file(100);
    let file = world
        .upload(&person, "a.json", "application/json", &bytes)
        .await;
    assert_eq!(
        (world.credits(person.id).await, world.held(person.id).await),
        (99, 5)
    );
    world.work().await;
    let file = world.files.get(&person.ctx, file.id).await.unwrap();
    assert_eq!(file.status, FileStatus::Ready, "{:?}", file.error);
    assert_eq!(
        (world.credits(person.id).await, world.held(person.id).await),
        (94, 0)
    );
    world.settle().await;
}

#[tokio::test]
async fn processing_that_leads_to_nothing_costs_nothing() {
    let world = World::new().await;
    let person = world.person().await;
    set_processing_price(&world, 5).await;
    // Not the PNG that it was declared to be, and a PNG without its end.
    let fraud = world
        .upload(&person, "a.png", "image/png", &json_file(100))
        .await;
    let mut damaged = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    damaged.extend([0; 8]);
    let damaged = world.upload(&person, "b.png", "image/png", &damaged).await;
    assert_eq!(world.held(person.id).await, 10);
    world.work().await;
    let status = async |id| world.files.get(&person.ctx, id).await.unwrap().status;
    assert_eq!(status(fraud.id).await, FileStatus::Rejected);
    assert_eq!(status(damaged.id).await, FileStatus::Failed);
    assert_eq!(
        (world.credits(person.id).await, world.held(person.id).await),
        (98, 0)
    );
    world.settle().await;
}

#[tokio::test]
async fn without_credits_for_the_processing_nothing_is_confirmed() {
    let world = World::new().await;
    let person = world.person().await;
    set_processing_price(&world, 5).await;
    world.set_credits(person.id, 5).await;
    let grant = granted(&world, &person).await;
    world.put(&grant, &json_file(100)).await.unwrap();
    let error = world
        .files
        .confirm(&person.ctx, grant.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InsufficientCredits);
    assert_eq!(
        (world.credits(person.id).await, world.held(person.id).await),
        (5, 1)
    );
    world.settle().await;
}
