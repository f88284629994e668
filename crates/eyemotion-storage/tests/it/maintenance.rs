//! Sweeps, purges, deleted projects, lost and found objects.

use crate::fakes::Ledger;
use crate::world::{Person, World, json_file, new_upload};
use bytes::Bytes;
use chrono::Duration;
use eyemotion_core::{Coded, Ctx, ErrorCode, FileId, UserId};
use eyemotion_ports::ProjectContents;
use eyemotion_storage::{
    BlobStore, FilePrefix, FileStatus, Files, ProjectFiles, PurgeFile, ReconcileObjects,
    SweepUploads,
};
use std::sync::Arc;
use uuid::Uuid;

async fn status(world: &World, id: FileId) -> String {
    let sql = format!("select processing_status from public.project_files where id = '{id}'");
    world.text(&sql).await
}

async fn discard(world: &World, person: &Person) {
    let mut tx = world.db.begin_for(&person.ctx).await.unwrap();
    let contents = ProjectFiles::new(Arc::clone(&world.clock) as _, Arc::new(Ledger));
    contents
        .discard(&mut tx, &person.ctx, person.project)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn unfinished_uploads_expire_and_give_their_room_back() {
    let world = World::new().await;
    let person = world.person().await;
    let new = || new_upload(&person, "a.json", "application/json", 100);
    let pending = world
        .files
        .upload_url(&person.ctx, new())
        .await
        .unwrap()
        .file;
    let sent = world.files.upload_url(&person.ctx, new()).await.unwrap();
    world.put(&sent, &json_file(100)).await.unwrap();
    world.run_job(&SweepUploads {}).await;
    assert_eq!(world.quota(person.id).await, (0, 200, 0), "they have time");

    world.advance(Duration::minutes(16));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(status(&world, pending).await, "expired");
    assert_eq!(
        status(&world, sent.file).await,
        "uploaded",
        "it waits a day for its confirmation"
    );
    assert_eq!(world.quota(person.id).await, (0, 100, 0));

    world.advance(Duration::hours(24));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(status(&world, sent.file).await, "expired");
    assert_eq!(world.quota(person.id).await, (0, 0, 0));
    assert!(world.objects().is_empty());
    let error = world
        .files
        .confirm(&person.ctx, sent.file)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UploadExpired);

    world.advance(Duration::hours(25));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        0
    );
    world.settle().await;
}

#[tokio::test]
async fn the_trash_is_emptied_after_thirty_days() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(100))
        .await;
    world.work().await;
    world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap();
    world.advance(Duration::days(29));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(status(&world, file.id).await, "trashed");
    world.advance(Duration::days(2));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        0
    );
    assert_eq!(world.quota(person.id).await, (0, 0, 0));
    assert!(world.objects().is_empty());
    world.settle().await;
}

#[tokio::test]
async fn a_deleted_project_takes_all_its_files_with_it() {
    let world = World::new().await;
    let person = world.person().await;
    let other = Person {
        project: world.project(person.id).await,
        ..world_person(&person)
    };
    let ready = world
        .upload(&person, "a.json", "application/json", &json_file(100))
        .await;
    let trashed = world
        .upload(&person, "b.json", "application/json", &json_file(200))
        .await;
    let rejected = world
        .upload(&person, "c.png", "image/png", &json_file(300))
        .await;
    let kept = world
        .upload(&other, "d.json", "application/json", &json_file(400))
        .await;
    world.work().await;
    world
        .files
        .delete(&person.ctx, trashed.id, None)
        .await
        .unwrap();
    assert_eq!(status(&world, rejected.id).await, "rejected");
    // These three are in the middle of things.
    let new = || new_upload(&person, "e.json", "application/json", 1000);
    world.files.upload_url(&person.ctx, new()).await.unwrap();
    let sent = world.files.upload_url(&person.ctx, new()).await.unwrap();
    world.put(&sent, &json_file(1000)).await.unwrap();
    let verifying = world
        .upload(&person, "f.json", "application/json", &json_file(500))
        .await;
    assert_eq!(verifying.status, FileStatus::Verifying);
    assert_eq!(world.quota(person.id).await, (1200, 2000, 0));

    discard(&world, &person).await;
    assert_eq!(world.quota(person.id).await, (400, 0, 800));
    assert_eq!(world.file_count(person.project).await, 0);
    for id in [ready.id, trashed.id, rejected.id, sent.file, verifying.id] {
        let error = world.files.get(&person.ctx, id).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::FileNotFound);
    }
    world.work().await;
    assert_eq!(world.quota(person.id).await, (400, 0, 0));
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        1
    );
    assert_eq!(world.objects().len(), 1);
    world.files.get(&person.ctx, kept.id).await.unwrap();

    discard(&world, &person).await;
    world.work().await;
    world.settle().await;
}

fn world_person(person: &Person) -> Person {
    Person {
        id: person.id,
        project: person.project,
        ctx: person.ctx.clone(),
    }
}

#[tokio::test]
async fn purging_again_changes_nothing() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(100))
        .await;
    world.work().await;
    world
        .run_job(&PurgeFile {
            owner: person.id,
            file: file.id,
        })
        .await;
    assert_eq!(world.objects().len(), 1, "it is nobody's tombstone");

    world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap();
    world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap();
    world.admin("delete from jobs.jobs").await;
    // The object was deleted, the row was not: a crash in between.
    world
        .blobs
        .delete_file(&FilePrefix {
            owner: person.id,
            file: file.id,
        })
        .await
        .unwrap();
    world.advance(Duration::hours(2));
    world.run_job(&SweepUploads {}).await;
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        0
    );
    assert_eq!(world.quota(person.id).await, (0, 0, 0));
    world
        .run_job(&PurgeFile {
            owner: person.id,
            file: file.id,
        })
        .await;
    world.settle().await;
}

#[tokio::test]
async fn objects_without_a_row_are_found_and_deleted() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(&person, "a.json", "application/json", &json_file(100))
        .await;
    world.work().await;
    let kept = world.objects();
    let stranger = FilePrefix {
        owner: UserId(Uuid::now_v7()),
        file: FileId(Uuid::now_v7()),
    };
    let superseded = FilePrefix {
        owner: person.id,
        file: file.id,
    };
    for prefix in [stranger, superseded] {
        let key = prefix.original(Uuid::now_v7());
        world
            .blobs
            .put(&key, Bytes::from_static(b"lost"))
            .await
            .unwrap();
    }
    std::fs::write(
        world.store_dir().join("t").join(Uuid::now_v7().to_string()),
        b"staged",
    )
    .unwrap();
    world.run_job(&ReconcileObjects {}).await;
    world.run_job(&SweepUploads {}).await;
    assert_eq!(
        world.objects().len(),
        kept.len() + 3,
        "they may be on their way"
    );
    world.advance(Duration::hours(25));
    world.run_job(&ReconcileObjects {}).await;
    world.run_job(&SweepUploads {}).await;
    assert_eq!(world.objects(), kept);
    world.settle().await;
}

#[tokio::test]
async fn limits_are_set_and_set_again() {
    let world = World::new().await;
    let person = world.person().await;
    let limit = format!(
        "select limit_bytes from public.storage_quotas where user_id = '{}'",
        person.id
    );
    assert_eq!(world.number(&limit).await, 1 << 30);
    let new = new_upload(&person, "a.json", "application/json", 100);
    world.files.upload_url(&person.ctx, new).await.unwrap();
    world.set_limit(person.id, 5).await;
    assert_eq!(world.number(&limit).await, 5);
    assert_eq!(world.quota(person.id).await, (0, 100, 0));
    let system = Ctx::system("test");
    assert!(
        world
            .files
            .get(&system, FileId(Uuid::now_v7()))
            .await
            .is_err()
    );
    world.settle().await;
}
