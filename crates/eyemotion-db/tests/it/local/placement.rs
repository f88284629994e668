//! Where a cluster may lie and whom it belongs to.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use eyemotion_db::local::{LocalError, LocalPostgres};
use rustix::process::geteuid;

use super::{config, connect, folder, owner::Owner, postmaster, rows};

/// Debian's and Red Hat's number for the user without rights.
const NOBODY: u32 = 65534;

#[tokio::test]
async fn a_cluster_of_another_major_version_is_left_alone() {
    let folder = folder();
    LocalPostgres::start(&config(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let version = folder.path().join("postgres/PG_VERSION");
    fs::write(&version, "12\n").unwrap();
    let error = LocalPostgres::start(&config(folder.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, LocalError::OtherMajor { made_by: 12, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("install PostgreSQL 12"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&version).unwrap(), "12\n");
}

#[tokio::test]
async fn a_folder_that_is_no_cluster_is_left_alone() {
    let folder = folder();
    let file = folder.path().join("postgres/holiday.jpg");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "").unwrap();
    let error = LocalPostgres::start(&config(folder.path()))
        .await
        .unwrap_err();
    assert!(matches!(error, LocalError::NotACluster(_)), "{error:?}");
    assert!(file.exists());
}

#[tokio::test]
async fn a_socket_path_that_is_too_long_is_shortened() {
    let folder = folder();
    let data_dir = folder.path().join("a, \"long\" name ".repeat(10));
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert!(!server.socket_dir().starts_with(folder.path()));
    assert!(server.socket_dir().as_os_str().len() < 60);
    connect(&server.url())
        .await
        .batch_execute("SELECT 1")
        .await
        .unwrap();
    let socket_dir = server.socket_dir().to_path_buf();
    server.stop().await.unwrap();

    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert_eq!(server.socket_dir(), socket_dir, "the same after a restart");
    server.stop().await.unwrap();
    fs::remove_dir(socket_dir).unwrap();
}

#[tokio::test]
async fn an_awkward_path_is_quoted() {
    let folder = folder();
    let data_dir = folder.path().join("a, \"b\" %2F ü@:?");
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    let inside = data_dir.canonicalize().unwrap();
    assert!(
        server.socket_dir().starts_with(&inside),
        "{}",
        server.socket_dir().display()
    );
    connect(&server.url())
        .await
        .batch_execute("SELECT 1")
        .await
        .unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn roots_closed_data_directory_gets_its_cluster_outside() {
    if !geteuid().is_root() {
        return;
    }
    let closed = folder();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = closed.path().join("data");
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    let cluster = data_dir.join("postgres").canonicalize().unwrap();
    let base = cluster.parent().unwrap().to_path_buf();
    assert!(base.starts_with("/var/lib/eyemotion"), "{}", base.display());
    let client = connect(&server.url()).await;
    client
        .batch_execute("CREATE TABLE kept AS SELECT 1 AS n")
        .await
        .unwrap();
    let error = LocalPostgres::start(&config(&data_dir)).await.unwrap_err();
    assert!(matches!(error, LocalError::InUse { .. }), "{error:?}");
    server.stop().await.unwrap();

    // Found again, also when the folder was opened in between.
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert_eq!(rows(&server).await, 1);
    server.stop().await.unwrap();

    // A deleted data directory takes its database with it; the old files are only kept aside.
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir_all(&data_dir).unwrap();
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    let client = connect(&server.url()).await;
    let table = client
        .query_one("SELECT to_regclass('kept')::text", &[])
        .await
        .unwrap();
    assert_eq!(table.get::<_, Option<&str>>(0), None);
    server.stop().await.unwrap();
    let names = fs::read_dir(&base)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name());
    assert_eq!(
        names
            .filter(|n| n.to_string_lossy().starts_with("postgres.deleted-"))
            .count(),
        1
    );
    fs::remove_dir_all(base).unwrap();
}

/// As root, the same once more as somebody who is not; and then root on that user's directory.
#[tokio::test]
async fn a_user_who_is_not_root_is_served_and_root_keeps_to_that_user() {
    if !geteuid().is_root() {
        return;
    }
    let folder = folder();
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    chown(&data_dir, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut owner = Owner::start(&data_dir, Some(NOBODY), "ready");
    let process = Path::new("/proc").join(postmaster(&data_dir).to_string());
    assert_eq!(fs::metadata(process).unwrap().uid(), NOBODY);
    drop(owner.process.stdin.take());
    owner.wait_for("stopped");
    assert!(owner.process.wait().unwrap().success());

    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert_eq!(rows(&server).await, 1);
    let process = Path::new("/proc").join(postmaster(&data_dir).to_string());
    assert_eq!(fs::metadata(process).unwrap().uid(), NOBODY);
    server.stop().await.unwrap();
}
