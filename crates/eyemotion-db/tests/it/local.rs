//! The local PostgreSQL: real programs, real processes, real kills.
//!
//! The tests pass as root, where the server steps down to another user, and as anybody else.

mod crash;
mod owner;
mod placement;

use std::{
    env, fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use eyemotion_db::local::{LocalConfig, LocalError, LocalPostgres, find_programs};
use rustix::process::{Pid, geteuid, getpgid, test_kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A folder that every user may enter.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn config(data_dir: &Path) -> LocalConfig {
    LocalConfig {
        data_dir: data_dir.to_path_buf(),
        bin_dir: bin_dir(),
        ephemeral: true,
        ..LocalConfig::default()
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn show(client: &Client, setting: &str) -> String {
    client
        .query_one(&format!("SHOW {setting}"), &[])
        .await
        .unwrap()
        .get(0)
}

/// The postmaster's process id, from its pid file.
fn postmaster(data_dir: &Path) -> i32 {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

/// The programs to test, if not those that are found.
fn bin_dir() -> Option<PathBuf> {
    env::var_os("EYEMOTION_PG_BIN").map(PathBuf::from)
}

/// Whether the process runs. One that has ended counts as gone even if nobody has waited for it.
fn alive(pid: i32) -> bool {
    let ended = fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().unwrap().trim().starts_with('Z'));
    !ended && test_kill_process(Pid::from_raw(pid).unwrap()) != Err(rustix::io::Errno::SRCH)
}

async fn until_gone(pid: i32) {
    let started = Instant::now();
    while alive(pid) {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "process {pid} stays"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn rows(server: &LocalPostgres) -> i64 {
    let client = connect(&server.url()).await;
    client
        .query_one("SELECT count(*) FROM kept", &[])
        .await
        .unwrap()
        .get(0)
}

/// A folder of PostgreSQL's programs with another `initdb`: a script that knows the real one as
/// `$initdb`.
fn programs_with_initdb(folder: &Path, script: &str) -> PathBuf {
    let real = find_programs(bin_dir().as_deref()).unwrap();
    let bin_dir = folder.join("bin");
    fs::create_dir(&bin_dir).unwrap();
    let initdb = format!("initdb='{}'\n{script}", real.program("initdb").display());
    let postgres = format!("exec '{}' \"$@\"", real.program("postgres").display());
    for (name, script) in [("initdb", initdb), ("postgres", postgres)] {
        let path = bin_dir.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    bin_dir
}

#[tokio::test]
async fn a_cold_start_makes_a_private_durable_database() {
    let folder = folder();
    let data_dir = folder.path().join("new/data");
    let config = LocalConfig {
        ephemeral: false,
        ..config(&data_dir)
    };
    let server = LocalPostgres::start(&config).await.unwrap();
    let client = connect(&server.url()).await;

    assert_eq!(show(&client, "listen_addresses").await, "");
    assert_eq!(show(&client, "data_checksums").await, "on");
    assert_eq!(show(&client, "fsync").await, "on");
    assert_eq!(show(&client, "server_encoding").await, "UTF8");
    let version: u32 = show(&client, "server_version_num").await.parse().unwrap();
    assert_eq!(version / 10_000, server.version());
    assert!(server.bin_dir().join("initdb").is_file());

    let who = client
        .query_one("SELECT current_user, current_database()", &[])
        .await
        .unwrap();
    assert_eq!(
        (who.get::<_, &str>(0), who.get::<_, &str>(1)),
        ("eyemotion", "eyemotion")
    );

    let log = fs::read_to_string(data_dir.join("postgres.log")).unwrap();
    assert!(
        !log.contains("database \"eyemotion\" does not exist"),
        "made too late: {log}"
    );

    let socket_dir = fs::metadata(server.socket_dir()).unwrap();
    let socket = fs::metadata(server.socket_dir().join(".s.PGSQL.5432")).unwrap();
    assert_eq!(socket_dir.permissions().mode() & 0o777, 0o700);
    assert_eq!(socket.permissions().mode() & 0o777, 0o700);

    // Ctrl-C in a terminal signals a process group.
    let server_group = getpgid(Pid::from_raw(postmaster(&data_dir))).unwrap();
    assert_ne!(server_group, getpgid(None).unwrap());

    // The user of the server process, the files and the socket is one, and never root.
    let uid = fs::metadata(data_dir.join("postgres")).unwrap().uid();
    assert_ne!(uid, 0);
    assert_eq!((socket_dir.uid(), socket.uid()), (uid, uid));
    let process = Path::new("/proc").join(postmaster(&data_dir).to_string());
    if process.exists() {
        assert_eq!(fs::metadata(&process).unwrap().uid(), uid);
        let status = fs::read_to_string(process.join("status")).unwrap();
        let groups = status
            .lines()
            .find_map(|line| line.strip_prefix("Groups:"))
            .unwrap();
        if geteuid().is_root() {
            assert_eq!(groups.trim(), "", "root's groups are dropped");
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_keeps_the_data_and_frees_the_directory() {
    let folder = folder();
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    let client = connect(&server.url()).await;
    client
        .batch_execute("CREATE TABLE kept AS SELECT 1 AS n")
        .await
        .unwrap();
    let pid = postmaster(folder.path());
    server.stop().await.unwrap();
    assert!(!alive(pid));
    assert!(!folder.path().join("postgres/postmaster.pid").exists());

    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    assert_eq!(rows(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_stops_and_the_next_start_waits_for_it() {
    let folder = folder();
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    let client = connect(&server.url()).await;
    client
        .batch_execute("CREATE TABLE kept AS SELECT 1 AS n")
        .await
        .unwrap();
    let pid = postmaster(folder.path());
    drop(server);
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    assert!(!alive(pid));
    assert_eq!(rows(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_server_on_the_directory_is_refused() {
    let folder = folder();
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    let link = folder.path().join("link");
    symlink(folder.path(), &link).unwrap();
    for data_dir in [folder.path(), &link] {
        let error = LocalPostgres::start(&config(data_dir)).await.unwrap_err();
        let own = std::process::id();
        assert!(
            matches!(error, LocalError::InUse { pid: Some(pid), .. } if pid == own),
            "{error}"
        );
    }
    connect(&server.url())
        .await
        .batch_execute("SELECT 1")
        .await
        .unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_released_server_runs_until_its_lifeline_closes() {
    let folder = folder();
    let server = LocalPostgres::start(&config(folder.path())).await.unwrap();
    let (url, pid) = (server.url(), postmaster(folder.path()));
    let lifeline = server.into_lifeline().unwrap();
    connect(&url).await.batch_execute("SELECT 1").await.unwrap();
    drop(lifeline);
    until_gone(pid).await;
}

#[tokio::test]
async fn settings_of_the_caller_win() {
    let folder = folder();
    let settings = vec![("max_connections".to_owned(), "23".to_owned())];
    let config = LocalConfig {
        settings,
        ..config(folder.path())
    };
    let server = LocalPostgres::start(&config).await.unwrap();
    let client = connect(&server.url()).await;
    assert_eq!(show(&client, "max_connections").await, "23");
    assert_eq!(show(&client, "fsync").await, "off");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_the_end_of_its_log() {
    let folder = folder();
    let settings = vec![("shared_buffers".to_owned(), "much".to_owned())];
    let started = LocalPostgres::start(&LocalConfig {
        settings,
        ..config(folder.path())
    })
    .await;
    let error = started.unwrap_err();
    assert!(matches!(error, LocalError::Exited { .. }), "{error:?}");
    assert!(error.to_string().contains("shared_buffers"), "{error}");
    // Nothing is held after the failure.
    LocalPostgres::start(&config(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_c_library_without_unicode_gets_the_plain_locale() {
    let folder = folder();
    let bin_dir = programs_with_initdb(
        folder.path(),
        r#"case "$*" in *C.UTF-8*) echo 'error: invalid locale name' >&2; exit 1; esac
        exec "$initdb" "$@""#,
    );
    let config = LocalConfig {
        bin_dir: Some(bin_dir.clone()),
        ..config(&folder.path().join("data"))
    };
    let server = LocalPostgres::start(&config).await.unwrap();
    assert_eq!(server.bin_dir(), bin_dir.canonicalize().unwrap());
    let client = connect(&server.url()).await;
    let database = "SELECT datctype FROM pg_database WHERE datname = 'eyemotion'";
    let locale = client.query_one(database, &[]).await.unwrap();
    assert_eq!(locale.get::<_, &str>(0), "C");
    assert_eq!(show(&client, "server_encoding").await, "UTF8");
    server.stop().await.unwrap();
}
