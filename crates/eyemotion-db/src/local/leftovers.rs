//! What an earlier run may have left: a server that still runs or is shutting down, a
//! `postmaster.pid` whose number now belongs to some other process, a socket.
//!
//! PostgreSQL's processes, and initdb, inherit the log as their standard error, and with it the lock that we
//! took on that open file. So while the lock cannot be had, one of them lives, whatever any file
//! says; and when it can be had, none that we started does.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{
    error::{IoContext, LocalError},
    placement::Placement,
};

const POLL: Duration = Duration::from_millis(20);
/// After how long a leftover gets which signal: fast shutdown, immediate shutdown, kill.
const ESCALATION: [(Duration, Signal); 3] = [
    (Duration::ZERO, Signal::INT),
    (Duration::from_secs(15), Signal::QUIT),
    (Duration::from_secs(25), Signal::KILL),
];
const GIVE_UP: Duration = Duration::from_secs(30);

/// Waits until no process of an earlier run works on the cluster, stopping a server that still
/// does, and locks `log` for the server to come. Wants the data directory's lock: any server that
/// runs here is nobody's.
pub(super) async fn settle(place: &Placement, log: &File) -> Result<(), LocalError> {
    let started = Instant::now();
    let mut signals = ESCALATION.into_iter().peekable();
    loop {
        let postmaster = running_postmaster(&place.cluster);
        if postmaster.is_none() && log.try_lock().is_ok() {
            break;
        }
        if let Some(pid) = postmaster
            && let Some((_, signal)) = signals.next_if(|(after, _)| started.elapsed() >= *after)
        {
            let pid_number = pid.as_raw_nonzero().get();
            tracing::warn!(
                pid = pid_number,
                ?signal,
                "stopping a PostgreSQL of an earlier run"
            );
            // It may have ended in this moment.
            let _ = kill_process(pid, signal);
        }
        if started.elapsed() >= GIVE_UP {
            let pid = postmaster.map(|pid| pid.as_raw_nonzero().get());
            return Err(LocalError::LeftoverRuns {
                cluster: place.cluster.clone(),
                pid,
            });
        }
        tokio::time::sleep(POLL).await;
    }
    remove_stale_pid_file(&place.cluster)
}

/// Removes a socket and its lock file: like `postmaster.pid`, the latter holds a process id that
/// keeps PostgreSQL from starting once it belongs to another process. Wants [`settle`] before.
pub(super) fn remove_socket(socket: &Path) -> Result<(), LocalError> {
    let mut lock = socket.as_os_str().to_owned();
    lock.push(".lock");
    for path in [socket, Path::new(&lock)] {
        remove_if_there(path)?;
    }
    Ok(())
}

/// PostgreSQL removes a pid file whose process is gone, and does it with more care (it looks for
/// shared memory still in use). It gives up when the number belongs to any living process of its
/// user, which after a reboot can be anything: then the file is ours to remove.
fn remove_stale_pid_file(cluster: &Path) -> Result<(), LocalError> {
    match recorded_pid(cluster) {
        Some(pid) if test_kill_process(pid) != Err(rustix::io::Errno::SRCH) => {
            tracing::info!(
                pid = pid.as_raw_nonzero().get(),
                "removing a stale postmaster.pid: the process is another program now"
            );
            remove_if_there(&cluster.join("postmaster.pid"))
        }
        _ => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> Result<(), LocalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context("removing", path)
        }
        _ => Ok(()),
    }
}

/// The process in `postmaster.pid`, if it really is a PostgreSQL on this cluster.
fn running_postmaster(cluster: &Path) -> Option<Pid> {
    recorded_pid(cluster).filter(|pid| serves(*pid, cluster))
}

fn recorded_pid(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    // A standalone backend records itself as a negative number.
    Pid::from_raw(pid.checked_abs()?)
}

/// PostgreSQL works in its cluster's folder and is given it on its command line.
fn serves(pid: Pid, cluster: &Path) -> bool {
    let number = pid.as_raw_nonzero().get().to_string();
    let process = Path::new("/proc").join(&number);
    if Path::new("/proc/self").exists() {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        return name.trim().starts_with("postgres")
            && fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == cluster);
    }
    let mut ps = Command::new("ps");
    ps.args(["-ww", "-o", "command=", "-p", &number])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    ps.output().is_ok_and(|output| {
        let command = String::from_utf8_lossy(&output.stdout);
        command.contains("postgres") && command.contains(&*cluster.to_string_lossy())
    })
}
