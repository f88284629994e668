//! The local store by itself.

use bytes::Bytes;
use chrono::{Duration, Utc};
use eyemotion_core::{FileId, UserId};
use eyemotion_storage::{BlobStore, DerivativeKind, FilePrefix, LocalStore};
use futures_util::TryStreamExt;
use std::os::unix::fs::PermissionsExt;
use uuid::Uuid;

fn prefix() -> FilePrefix {
    FilePrefix {
        owner: UserId(Uuid::now_v7()),
        file: FileId(Uuid::now_v7()),
    }
}

#[tokio::test]
async fn an_object_is_there_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::open(directory.path().join("store")).unwrap();
    let (upload, prefix) = (Uuid::now_v7(), prefix());
    let key = prefix.original(upload);
    let mut staging = store.stage(upload).await.unwrap();
    staging
        .append(Bytes::from_static(b"some bytes"))
        .await
        .unwrap();
    assert_eq!(store.head(&key).await.unwrap(), None);
    assert!(store.open(&key).await.unwrap().is_none());
    assert!(store.stage(upload).await.is_err(), "one writer");
    let sealed = staging.seal().await.unwrap();
    assert_eq!(sealed.size, 10);
    assert_eq!(sealed.sha256, crate::world::sha256(b"some bytes"));
    assert!(staging.seal().await.is_err());
    staging.commit(&key).await.unwrap();
    assert_eq!(store.head(&key).await.unwrap().unwrap().size, 10);
    let found: Vec<_> = store.versions().try_collect().await.unwrap();
    assert_eq!(
        (found.len(), found[0].prefix, found[0].version),
        (1, prefix, upload)
    );

    let path = directory.path().join("store").join(key.to_string());
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);

    // What is being read stays readable.
    let reader = store.open(&key).await.unwrap().unwrap();
    store.delete_file(&prefix).await.unwrap();
    store.delete_file(&prefix).await.unwrap();
    assert_eq!(store.head(&key).await.unwrap(), None);
    let read: Vec<Bytes> = reader.read(5..10).try_collect().await.unwrap();
    assert_eq!(read.concat(), b"bytes");
}

#[tokio::test]
async fn a_dropped_staging_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::open(directory.path()).unwrap();
    let staged = || {
        std::fs::read_dir(directory.path().join("t"))
            .unwrap()
            .count()
    };
    let mut staging = store.stage(Uuid::now_v7()).await.unwrap();
    staging.append(Bytes::from(vec![0; 3 << 20])).await.unwrap();
    assert_eq!(staged(), 1);
    drop(staging);
    while staged() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let upload = Uuid::now_v7();
    std::mem::forget(store.stage(upload).await.unwrap());
    store.discard_staging(upload).await.unwrap();
    store.discard_staging(upload).await.unwrap();
    std::mem::forget(store.stage(upload).await.unwrap());
    assert_eq!(
        store
            .discard_stale_staging(Utc::now() - Duration::hours(1))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .discard_stale_staging(Utc::now() + Duration::hours(1))
            .await
            .unwrap(),
        1
    );
    assert_eq!(staged(), 0);
}

#[tokio::test]
async fn a_version_goes_with_everything_made_from_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::open(directory.path()).unwrap();
    let (prefix, old, new) = (prefix(), Uuid::now_v7(), Uuid::now_v7());
    for version in [old, new] {
        let thumbnail = prefix.derivative(version, DerivativeKind::Thumbnail, 1);
        for key in [prefix.original(version), thumbnail, thumbnail] {
            store
                .put(&key, Bytes::from_static(b"content"))
                .await
                .unwrap();
        }
    }
    store.delete_version(&prefix, old).await.unwrap();
    let thumbnail = |version| prefix.derivative(version, DerivativeKind::Thumbnail, 1);
    assert!(store.head(&thumbnail(old)).await.unwrap().is_none());
    assert!(store.head(&thumbnail(new)).await.unwrap().is_some());
    store.check().await.unwrap();
    std::fs::remove_dir(directory.path().join("t")).unwrap();
    assert!(store.check().await.is_err());
}

/// The most memory that this process ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_any_size_takes_a_few_buffers() {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalStore::open(directory.path()).unwrap();
    let chunk = Bytes::from(vec![7; 64 * 1024]);
    let mut staging = store.stage(Uuid::now_v7()).await.unwrap();
    let before = peak();
    for _ in 0..(512 << 20) / chunk.len() {
        staging.append(chunk.clone()).await.unwrap();
    }
    staging.seal().await.unwrap();
    let grown = peak() - before;
    assert!(grown < 64 * 1024, "{grown} KiB for 512 MiB");
}
