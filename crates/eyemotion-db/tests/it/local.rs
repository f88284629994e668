//! The local PostgreSQL: real programs, real processes, real kills.
//!
//! The tests pass as root, where the server steps down to another user, and as anybody else.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use eyemotion_db::local::{LocalConfig, LocalError, LocalPostgres, find_programs};
use rustix::process::{
    Pid, Signal, geteuid, getpgid, kill_process, kill_process_group, test_kill_process,
};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Set for [`owner`], the process that the kill tests kill.
const OWNER_DATA_DIR: &str = "EYEMOTION_TEST_OWNER_DATA_DIR";

/// Debian's and Red Hat's number for the user without rights.
const NOBODY: u32 = 65534;

/// A folder that every user may enter.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn config(data_dir: &Path) -> LocalConfig {
    LocalConfig {
        data_dir: data_dir.to_path_buf(),
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

/// [`owner`] in a process of its own.
struct Owner {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Owner {
    /// Starts it, as the user `uid` if given, and waits for the line `word`.
    fn start(data_dir: &Path, uid: Option<u32>, word: &str) -> Self {
        let mut program = env::current_exe().unwrap();
        if uid.is_some() {
            // It may lie where that user may not go.
            let copy = data_dir.parent().unwrap().join("owner");
            fs::copy(program, &copy).unwrap();
            program = copy;
        }
        let mut command = Command::new(program);
        command
            .args(["--exact", "local::owner", "--ignored", "--nocapture"])
            .env(OWNER_DATA_DIR, data_dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut owner = Self { process, output };
        owner.wait_for(word);
        owner
    }

    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while line.trim() != word {
            line.clear();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the owner ended"
            );
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test: what [`Owner`] runs. Starts a server, writes a row, waits to be killed.
#[tokio::test]
#[ignore = "a process for other tests"]
async fn owner() {
    let Some(data_dir) = env::var_os(OWNER_DATA_DIR) else {
        return;
    };
    println!("\nstarting");
    // With fsync, as what it has committed must survive.
    let config = LocalConfig {
        data_dir: data_dir.into(),
        ..LocalConfig::default()
    };
    let server = LocalPostgres::start(&config).await.unwrap();
    let client = connect(&server.url()).await;
    client
        .batch_execute("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
        .await
        .unwrap();
    println!("\nready");
    // Until the test closes the pipe, or kills.
    tokio::task::spawn_blocking(|| std::io::stdin().lines().next())
        .await
        .unwrap();
    server.stop().await.unwrap();
    println!("\nstopped");
}

async fn rows(server: &LocalPostgres) -> i64 {
    let client = connect(&server.url()).await;
    client
        .query_one("SELECT count(*) FROM kept", &[])
        .await
        .unwrap()
        .get(0)
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
        std::os::unix::fs::chown(&path, Some(uid), None).unwrap();
    }

    let started = LocalPostgres::start(&config(folder.path())).await;
    let unharmed = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    started.unwrap().stop().await.unwrap();
    assert!(unharmed, "the other process was signalled");
}

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
async fn an_interrupted_initdb_is_done_again() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let unfinished = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&data_dir).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths
            .filter(|path| path.to_string_lossy().contains("postgres.init-"))
            .collect()
    };
    let mut killed = Owner::start(&data_dir, None, "starting");
    let started = Instant::now();
    while !unfinished()
        .iter()
        .any(|path| path.join("PG_VERSION").exists())
    {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "initdb does not begin"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    killed.kill();
    assert!(
        !data_dir.join("postgres").exists(),
        "the kill came too late to show anything"
    );

    let server = LocalPostgres::start(&config(&data_dir)).await.unwrap();
    connect(&server.url())
        .await
        .batch_execute("SELECT 1")
        .await
        .unwrap();
    server.stop().await.unwrap();
    assert_eq!(unfinished(), Vec::<PathBuf>::new());
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

#[tokio::test]
async fn a_c_library_without_unicode_gets_the_plain_locale() {
    let real = find_programs(None).unwrap();
    let folder = folder();
    let bin_dir = folder.path().join("bin");
    fs::create_dir(&bin_dir).unwrap();
    let refuse = r#"case "$*" in *C.UTF-8*) echo 'error: invalid locale name' >&2; exit 1; esac"#;
    for (name, first) in [("initdb", refuse), ("postgres", "")] {
        let real = real.program(name);
        let wrapper = bin_dir.join(name);
        let script = format!("#!/bin/sh\n{first}\nexec '{}' \"$@\"\n", real.display());
        fs::write(&wrapper, script).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    }
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

/// As root, the same once more as somebody who is not; and then root on that user's directory.
#[tokio::test]
async fn a_user_who_is_not_root_is_served_and_root_keeps_to_that_user() {
    if !geteuid().is_root() {
        return;
    }
    let folder = folder();
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    std::os::unix::fs::chown(&data_dir, Some(NOBODY), Some(NOBODY)).unwrap();
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
