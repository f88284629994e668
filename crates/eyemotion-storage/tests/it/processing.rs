//! From confirmed to ready, with real files.

use crate::world::{Person, World, json_file};
use eyemotion_core::{Coded, ErrorCode, FileId};
use eyemotion_jobs::{Enqueue, enqueue};
use eyemotion_media::find_ffmpeg;
use eyemotion_storage::{
    Disposition, File, FileStatus, Files, ProcessFile, Rendition, ThumbnailStatus,
};
use futures_util::TryStreamExt;
use std::process::Command;

/// A clip made by ffmpeg; none if there is no ffmpeg.
fn clip(name: &str, arguments: &str) -> Option<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let output = Command::new(find_ffmpeg()?)
        .args(["-nostdin", "-v", "error", "-bitexact"])
        .args(arguments.split_whitespace())
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(std::fs::read(path).unwrap())
}

async fn processed(world: &World, person: &Person, name: &str, mime: &str, bytes: &[u8]) -> File {
    let file = world.upload(person, name, mime, bytes).await;
    world.work().await;
    world.files.get(&person.ctx, file.id).await.unwrap()
}

async fn content(world: &World, person: &Person, id: FileId, rendition: Rendition) -> Vec<u8> {
    let opened = world
        .files
        .open(&person.ctx, id, rendition, Disposition::Inline)
        .await
        .unwrap();
    let size = opened.size;
    opened
        .read(0..size)
        .try_collect::<Vec<_>>()
        .await
        .unwrap()
        .concat()
}

/// Puts a file back to where a crash may have left it, with the job that then comes again.
async fn crash_at(world: &World, file: FileId, status: &str) {
    world
        .admin(&format!(
            "alter table public.project_files disable trigger transition;
             update public.project_files set processing_status = '{status}' where id = '{file}';
             alter table public.project_files enable trigger transition"
        ))
        .await;
    let mut tx = world
        .db
        .begin(&eyemotion_core::Ctx::system("test"))
        .await
        .unwrap();
    enqueue(
        &mut tx,
        &*world.clock,
        &ProcessFile { file },
        Enqueue::new(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    world.work().await;
}

#[tokio::test]
async fn a_film_clip_becomes_ready_with_its_exact_numbers() {
    let source = "-f lavfi -i testsrc2=size=320x180:rate=24000/1001 -f lavfi -i sine=r=48000 -t 2 \
                  -pix_fmt yuv420p -c:v libx264 -c:a aac";
    let Some(bytes) = clip("clip.mp4", source) else {
        return;
    };
    let world = World::new().await;
    let person = world.person().await;
    let file = processed(&world, &person, "clip.mp4", "video/mp4", &bytes).await;
    assert_eq!(
        (file.status, file.progress),
        (FileStatus::Ready, 100),
        "{:?}",
        file.error
    );
    assert_eq!(file.frame_rate.unwrap().to_string(), "24000/1001");
    assert_eq!((file.width, file.height), (Some(320), Some(180)));
    assert_eq!(file.codec.as_deref(), Some("h264"));
    let duration = file.duration_us.unwrap();
    assert!((1_950_000..2_100_000).contains(&duration), "{duration}");
    assert!(file.bit_rate.unwrap() > 0);
    assert_eq!(file.media["container"], "mp4");
    assert_eq!(file.media["tracks"].as_array().unwrap().len(), 2);
    let sum = "select total_duration_us from public.projects where file_count = 1";
    assert_eq!(world.number(sum).await, duration);

    assert_eq!(file.thumbnail, ThumbnailStatus::Ready);
    let thumbnail = content(&world, &person, file.id, Rendition::Thumbnail).await;
    assert_eq!(thumbnail[..3], [0xff, 0xd8, 0xff], "a JPEG");
    assert_eq!(
        content(&world, &person, file.id, Rendition::Original).await,
        bytes
    );
    world.settle().await;
}

#[tokio::test]
async fn a_picture_gets_its_thumbnail_without_ffmpeg() {
    let Some(bytes) = clip("a.png", "-f lavfi -i testsrc2=size=1000x500 -frames:v 1") else {
        return;
    };
    let world = World::new().await;
    let person = world.person().await;
    let file = processed(&world, &person, "a.png", "image/png", &bytes).await;
    assert_eq!(
        (file.status, file.thumbnail),
        (FileStatus::Ready, ThumbnailStatus::Ready)
    );
    assert_eq!((file.width, file.height), (Some(1000), Some(500)));
    assert_eq!((file.frame_rate, file.duration_us), (None, None));
    let open = async || {
        world
            .files
            .open(
                &person.ctx,
                file.id,
                Rendition::Thumbnail,
                Disposition::Inline,
            )
            .await
            .unwrap()
    };
    let opened = open().await;
    assert_eq!(opened.content_type, "image/jpeg");
    assert_eq!(opened.file_name, "a.jpg");
    assert_eq!(opened.disposition, Disposition::Inline);
    let original = world.files.open(
        &person.ctx,
        file.id,
        Rendition::Original,
        Disposition::Inline,
    );
    assert_ne!(opened.etag, original.await.unwrap().etag);
    world.settle().await;
}

#[tokio::test]
async fn sound_and_data_have_no_picture_and_say_so() {
    let world = World::new().await;
    let person = world.person().await;
    let file = processed(
        &world,
        &person,
        "a.json",
        "application/json",
        &json_file(10),
    )
    .await;
    assert_eq!(
        (file.status, file.thumbnail),
        (FileStatus::Ready, ThumbnailStatus::Unavailable)
    );
    if let Some(bytes) = clip("a.wav", "-f lavfi -i sine=r=44100 -t 1") {
        let file = processed(&world, &person, "a.wav", "audio/wav", &bytes).await;
        assert_eq!(
            (file.status, file.thumbnail),
            (FileStatus::Ready, ThumbnailStatus::Unavailable)
        );
        assert_eq!(file.duration_us, Some(1_000_000));
        assert_eq!(file.codec.as_deref(), Some("pcm_s16le"));
    }
    world.settle().await;
}

#[tokio::test]
async fn what_lies_about_its_type_is_rejected_and_never_served() {
    let world = World::new().await;
    let person = world.person().await;
    let file = world
        .upload(
            &person,
            "film.mp4",
            "video/mp4",
            b"This is a text, not a film.",
        )
        .await;
    assert_eq!(world.quota(person.id).await, (27, 0, 0));
    world.work().await;
    let file = world.files.get(&person.ctx, file.id).await.unwrap();
    assert_eq!(file.status, FileStatus::Rejected);
    assert!(file.error.unwrap().contains("declared as video/mp4"));
    for rendition in [Rendition::Original, Rendition::Thumbnail] {
        let opened = world
            .files
            .open(&person.ctx, file.id, rendition, Disposition::Inline)
            .await;
        assert_eq!(opened.unwrap_err().code(), ErrorCode::FileNotReady);
    }
    assert!(world.objects().is_empty(), "its object is gone");
    assert_eq!(world.quota(person.id).await, (0, 0, 0));
    assert_eq!(world.file_count(person.project).await, 0);
    assert_eq!(world.credits(person.id).await, 99, "the upload stays paid");
    let log = "select count(*) from public.test_activity where action = 'file.rejected'";
    assert_eq!(world.number(log).await, 1);

    // It stays listed with its reason until its owner deletes it.
    world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap();
    world.work().await;
    assert_eq!(
        world
            .number("select count(*) from public.project_files")
            .await,
        0
    );
    world.settle().await;
}

#[tokio::test]
async fn a_damaged_film_fails_and_its_owner_keeps_it() {
    let source = "-f lavfi -i testsrc2=size=320x180 -t 1 -pix_fmt yuv420p -c:v libx264";
    let Some(mut bytes) = clip("clip.mp4", source) else {
        return;
    };
    // The index is at the end of such a file.
    bytes.truncate(bytes.len() / 2);
    let world = World::new().await;
    let person = world.person().await;
    let file = processed(&world, &person, "clip.mp4", "video/mp4", &bytes).await;
    assert_eq!(file.status, FileStatus::Failed);
    assert!(!file.error.unwrap().is_empty());
    assert_eq!(
        content(&world, &person, file.id, Rendition::Original).await,
        bytes
    );
    world
        .files
        .delete(&person.ctx, file.id, None)
        .await
        .unwrap();
    let file = world.files.restore(&person.ctx, file.id).await.unwrap();
    assert_eq!(file.status, FileStatus::Failed);
    world.settle().await;
}

#[tokio::test]
async fn a_crash_at_any_step_is_made_good_by_the_next_run() {
    let Some(bytes) = clip("a.png", "-f lavfi -i testsrc2=size=100x50 -frames:v 1") else {
        return;
    };
    let world = World::new().await;
    let person = world.person().await;
    let file = processed(&world, &person, "a.png", "image/png", &bytes).await;
    let objects = world.objects();
    for status in ["verifying", "verified", "processing"] {
        crash_at(&world, file.id, status).await;
        let again = world.files.get(&person.ctx, file.id).await.unwrap();
        assert_eq!(
            (again.status, again.progress),
            (FileStatus::Ready, 100),
            "{status}"
        );
        assert_eq!(again.media, file.media);
        assert_eq!(world.objects(), objects, "{status}");
    }
    // A job that comes too late finds nothing to do.
    let version = world.files.get(&person.ctx, file.id).await.unwrap().version;
    crash_at(&world, file.id, "ready").await;
    assert_eq!(
        world.files.get(&person.ctx, file.id).await.unwrap().version,
        version
    );
    world.settle().await;
}
