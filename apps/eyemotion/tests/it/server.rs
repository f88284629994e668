//! The binary, started and ended.

use crate::processes;
use rustix::process::{Pid, Signal};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_eyemotion");

/// Debian's `nobody` and `nogroup`; any others without rights would do.
const NOBODY: u32 = 65534;

/// Longer than anything here takes on the slowest machine; a test that fails does not hang.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder that the user of root's PostgreSQL may pass through.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// How to start it: with nothing set but what is said here.
pub(crate) struct Launch {
    working_dir: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    as_nobody: bool,
}

impl Launch {
    /// `eyemotion serve` on a free port, its data in `working_dir`.
    pub(crate) fn in_folder(working_dir: &Path) -> Self {
        let mut launch = Self::bare(working_dir).with("--port", "0");
        if is_root() {
            // Root's default lies in /var/lib.
            let data = working_dir.join("eyemotion-data");
            launch = launch.with("--data-dir", data.to_str().unwrap());
        }
        launch
    }

    /// `eyemotion serve` and not a flag more.
    pub(crate) fn bare(working_dir: &Path) -> Self {
        Self {
            working_dir: working_dir.to_owned(),
            arguments: vec!["serve".into()],
            environment: Vec::new(),
            as_nobody: false,
        }
    }

    pub(crate) fn with(mut self, flag: &str, value: &str) -> Self {
        self.arguments.extend([flag.into(), value.into()]);
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// As a user without rights, whose the working folder becomes. Only root can.
    pub(crate) fn without_rights(mut self) -> Self {
        chown(&self.working_dir, Some(NOBODY), Some(NOBODY)).unwrap();
        self.as_nobody = true;
        self
    }

    fn command(&self) -> Command {
        let mut command = if self.as_nobody {
            // The checkout may be closed to that user.
            let copy = self.working_dir.join("eyemotion");
            if !copy.exists() {
                fs::copy(BINARY, &copy).unwrap();
            }
            let mut command = Command::new("setpriv");
            let id = |flag: &str| format!("--{flag}={NOBODY}");
            command
                .args([id("reuid"), id("regid")])
                .arg("--clear-groups")
                .arg(copy);
            command
        } else {
            Command::new(BINARY)
        };
        command
            .args(&self.arguments)
            .current_dir(&self.working_dir)
            .env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Starts it and waits until it says that it is ready.
    pub(crate) async fn start(&self) -> Server {
        let mut server = self.spawn();
        let ready = server.said("is ready on http://").await;
        let (_, address) = ready.split_once(" is ready on ").unwrap();
        address
            .split(' ')
            .next()
            .unwrap()
            .clone_into(&mut server.base);
        server
    }

    /// Starts it without waiting for anything.
    pub(crate) fn spawn(&self) -> Server {
        let mut child = self.command().spawn().unwrap();
        let (heard, output) = watch::channel(Vec::new());
        listen(child.stdout.take().unwrap(), heard.clone());
        listen(child.stderr.take().unwrap(), heard);
        Server {
            child,
            output,
            base: String::new(),
        }
    }
}

fn listen(stream: impl AsyncRead + Unpin + Send + 'static, heard: watch::Sender<Vec<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            heard.send_modify(|output| output.push(line));
        }
    });
}

/// The running binary. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    /// The lines it has said, both streams.
    output: watch::Receiver<Vec<String>>,
    base: String,
}

impl Server {
    /// `http://127.0.0.1:<port>`, as the ready line names it.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn id(&self) -> i32 {
        self.child.id().unwrap().try_into().unwrap()
    }

    /// Everything it has said so far.
    pub(crate) fn output(&self) -> String {
        self.output.borrow().join("\n")
    }

    /// Waits for a line with this text and returns it.
    pub(crate) async fn said(&mut self, text: &str) -> String {
        let found = |lines: &Vec<String>| lines.iter().find(|line| line.contains(text)).cloned();
        // It also ends, with an error, when both streams have: then nothing more will come.
        let heard = self.output.wait_for(|lines| found(lines).is_some());
        let _ = tokio::time::timeout(PATIENCE, heard).await;
        let line = found(&self.output.borrow());
        line.unwrap_or_else(|| panic!("never said {text:?}:\n{}", self.output()))
    }

    /// Sends a signal and waits for nothing.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_raw(self.id()).unwrap(), signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        status
            .unwrap_or_else(|_| panic!("does not end:\n{}", self.output()))
            .unwrap()
    }

    /// Whether it has ended by itself already.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// kill -9, and until it is gone.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// SIGTERM; it must end well.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}:\n{}", self.output());
    }
}

/// Waits until no process names this folder any more: kill -9 leaves PostgreSQL a moment to end.
pub(crate) async fn nothing_runs_in(folder: &Path) {
    let waited = async {
        while !processes::naming(folder).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waited).await;
    assert!(
        waited.is_ok(),
        "still running: {:?}",
        processes::naming(folder)
    );
}
