//! What a crash leaves, and how the next start deals with it.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use eyemotion_db::local::{LocalError, LocalPostgres};
use rustix::process::{Pid, Signal, geteuid, getpgid, kill_process, kill_process_group};

use super::{
    alive, config, connect, folder,
    owner::{OWNER_DATA_DIR, Owner},
    postmaster, programs_with_initdb, rows, until_gone,
};

#[tokio::test]
async fn a_server_that_dies_is_noticed() {
    let folder = folder();
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    let pid = Pid::from_raw(postmaster(folder.path())).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let error = server.exited().await;
    assert!(matches!(&error, LocalError::Exited { .. }), "{error:?}");
    server.stop().await.unwrap();
    LocalPostgres::start(&config(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn no_server_outlives_a_killed_owner_and_nothing_is_lost() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut killed = Owner::start(&data_dir, None, "ready");
    let pid = postmaster(&data_dir);
    // Its environment may hold keys, and other processes of the database's user can read it.
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let environment = String::from_utf8(environment).unwrap();
    assert!(!environment.contains(OWNER_DATA_DIR), "{environment}");
    killed.kill();
    until_gone(pid).await;

    // Once more, and this time the next start does not wait for it.
    let mut killed = Owner::start(&data_dir, None, "ready");
    let pid = postmaster(&data_dir);
    killed.kill();
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert!(!alive(pid));
    assert_eq!(rows(&server).await, 2);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_orphan_is_stopped_before_a_new_server_starts() {
    if !Path::new("/proc/self").exists() {
        return;
    }
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut killed = Owner::start(&data_dir, None, "ready");
    let orphan = postmaster(&data_dir);
    // Without its supervisor nobody stops the server.
    assert!(kill_supervisor(&data_dir) > 0);
    killed.kill();
    assert!(alive(orphan));

    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert!(!alive(orphan));
    assert_eq!(rows(&server).await, 1);
    server.stop().await.unwrap();
}

/// Kills the shells that watch over the server, and says how many.
fn kill_supervisor(data_dir: &Path) -> usize {
    let shells = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let command = fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let ours = command.starts_with("/bin/sh") && command.contains(data_dir.to_str()?);
            ours.then_some(pid)
        });
    shells
        .map(|pid| kill_process(pid, Signal::KILL).unwrap())
        .count()
}

#[tokio::test]
async fn a_kill_of_everything_at_once_is_recovered_from() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut killed = Owner::start(&data_dir, None, "ready");
    let pid = Pid::from_raw(postmaster(&data_dir)).unwrap();
    kill_process_group(getpgid(Some(pid)).unwrap(), Signal::KILL).unwrap();
    killed.kill();
    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    assert_eq!(rows(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_with_a_reused_number_does_not_stop_a_start() {
    let folder = folder();
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    let socket_dir = server.socket_dir().to_path_buf();
    let pid_file = folder.path().join("postgres/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    let uid = fs::metadata(&pid_file).unwrap().uid();
    server.stop().await.unwrap();

    // A living process of the server's own user, as after a restart of the machine.
    let mut stranger = Command::new("sleep");
    stranger.arg("600");
    if geteuid().is_root() {
        stranger.uid(uid);
    }
    let mut stranger = stranger.spawn().unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    let stale = format!("{}\n{rest}", stranger.id());
    for path in [pid_file, socket_dir.join(".s.PGSQL.5432.lock")] {
        fs::write(&path, &stale).unwrap();
        chown(&path, Some(uid), None).unwrap();
    }

    let started = LocalPostgres::start(&config(folder.path())).await;
    let unharmed = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    started.unwrap().stop().await.unwrap();
    assert!(unharmed, "the other process was signalled");
}

#[tokio::test]
async fn an_interrupted_initdb_is_done_again() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    // It never finishes before the kill, and ends only afterwards.
    let go = folder.path().join("go");
    let script = format!(
        r#""$initdb" "$@" || exit; until [ -e '{}' ]; do sleep 0.1; done"#,
        go.display()
    );
    let bin_dir = programs_with_initdb(folder.path(), &script);
    let unfinished = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&data_dir).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths
            .filter(|path| path.to_string_lossy().contains("postgres.init-"))
            .collect()
    };
    let mut killed = Owner::start_with(&data_dir, None, Some(&bin_dir), "starting");
    while !unfinished()
        .iter()
        .any(|path| path.join("PG_VERSION").exists())
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    killed.kill();
    assert!(!data_dir.join("postgres").exists());
    fs::write(go, "").unwrap();

    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    let client = connect(&server.url()).await;
    client.batch_execute("SELECT 1").await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(unfinished(), Vec::<PathBuf>::new());
}
