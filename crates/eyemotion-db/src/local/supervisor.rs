//! A small shell between us and PostgreSQL, so that PostgreSQL ends when we do.
//!
//! The shell's standard input is a pipe that we hold. When we are killed, even with SIGKILL, the
//! kernel closes it and the shell asks PostgreSQL for a fast shutdown. (The usual way on Linux,
//! PR_SET_PDEATHSIG, needs unsafe code, and kills instead of shutting down.) A line on the pipe
//! asks for a shutdown while we live; as the shell is the parent, the process id that it signals
//! cannot belong to anybody else.

use std::{
    env, io,
    os::fd::OwnedFd,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    process::{ChildStdin, Command},
    sync::watch,
    time::timeout,
};

use super::{
    account::Account,
    error::{IoContext, LocalError},
    log::Log,
};

/// SIGINT is "fast shutdown" to PostgreSQL and "give up" to initdb, SIGQUIT is "immediate". The
/// reader loop is a process of its own because `wait` and `read` both block. The shell itself
/// ignores what a terminal or a service manager sends to every process of the service.
const SCRIPT: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
trap '' HUP INT TERM
(
  exec >/dev/null 2>&1
  while read -r how <&3; do
    case $how in
      immediate) kill -QUIT "$child" ;;
      *) kill -INT "$child" ;;
    esac
  done
  kill -INT "$child"
) &
reader=$!
exec 3<&-
wait "$child"
status=$?
kill -KILL "$reader" 2>/dev/null
exit "$status"
"#;

/// What PostgreSQL may see of our environment: nothing of the secrets in it, and no PGDATA or
/// PGOPTIONS that would change its mind.
const ENVIRONMENT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// How long a fast shutdown may take before an immediate one, and that before giving up.
const FAST: Duration = Duration::from_secs(15);
const IMMEDIATE: Duration = Duration::from_secs(10);

/// A supervised command; the caller adds its arguments and outputs. Its standard input is the
/// lifeline: keep it open for as long as the program shall run.
pub(super) fn command(program: &Path, account: Option<Account>) -> Command {
    let mut shell = std::process::Command::new("/bin/sh");
    shell
        .args(["-c", SCRIPT, "eyemotion-postgres"])
        .arg(program)
        .current_dir("/");
    shell.env_clear().env("LC_ALL", "C");
    shell.envs(
        ENVIRONMENT
            .iter()
            .filter_map(|name| Some((name, env::var_os(name)?))),
    );
    if let Some(account) = account {
        account.apply(&mut shell);
    }
    let mut shell = Command::from(shell);
    // Ctrl-C in a terminal goes to our process group; the database must outlive our own drain.
    shell.process_group(0).stdin(Stdio::piped());
    shell
}

/// A supervised program. Dropped, it asks the program to end and does not wait for it.
#[derive(Debug)]
pub(super) struct Supervisor {
    lifeline: ChildStdin,
    status: watch::Receiver<Option<ExitStatus>>,
}

impl Supervisor {
    /// Starts a command made by [`command`] that writes to `log`, and holds the lock on it.
    pub(super) fn start(mut command: Command, log: &Log) -> Result<Self, LocalError> {
        let output = || log.file().try_clone().context("opening", log.path());
        command.stdout(output()?).stderr(output()?);
        let mut child = command.spawn().context("starting", "/bin/sh")?;
        let lifeline = child
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("it has no pipe"));
        let lifeline = lifeline.context("starting", "/bin/sh")?;
        let (exited, status) = watch::channel(None);
        tokio::spawn(async move {
            if let Ok(status) = child.wait().await {
                exited.send_replace(Some(status));
            }
        });
        Ok(Self { lifeline, status })
    }

    /// Waits until the program has ended.
    pub(super) async fn exited(&self) -> Option<ExitStatus> {
        let mut status = self.status.clone();
        status
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|status| *status)
    }

    /// Ends the server: connections are cut, what was committed is flushed. One that hangs is
    /// ended without flushing; its next start replays the write-ahead log.
    pub(super) async fn stop(mut self) -> Result<(), LocalError> {
        for (how, patience) in [("fast\n", FAST), ("immediate\n", IMMEDIATE)] {
            // A closed pipe means that it has ended already.
            let _ = self.lifeline.write_all(how.as_bytes()).await;
            if timeout(patience, self.exited()).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(how = how.trim(), "PostgreSQL does not stop");
        }
        Err(LocalError::StopTimedOut)
    }

    /// Gives the pipe away; the server ends when its last holder closes it.
    pub(super) fn into_lifeline(self) -> Result<OwnedFd, LocalError> {
        self.lifeline
            .into_owned_fd()
            .context("releasing", "/bin/sh")
    }
}
