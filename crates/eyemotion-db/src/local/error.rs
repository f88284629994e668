//! What can keep a local PostgreSQL from running.

use std::{fmt::Write as _, io, path::PathBuf};

use super::{LATEST_MAJOR, OLDEST_MAJOR};

/// Why the local PostgreSQL did not start, stop or keep running. The texts are written for the
/// person at the terminal: each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// No folder with `initdb` and `postgres` on this machine.
    #[error("{}", install_advice())]
    NotInstalled,
    /// The folder that was named holds no working `initdb` and `postgres`.
    #[error("{} holds no PostgreSQL programs that can be run (initdb and postgres)", .0.display())]
    NotInFolder(PathBuf),
    /// Programs were found, all of them of a major version that is not supported.
    #[error(
        "PostgreSQL {OLDEST_MAJOR} to {LATEST_MAJOR} is needed, found only {}.\n{}",
        listed(.0), install_advice()
    )]
    UnsupportedMajor(Vec<(PathBuf, u32)>),
    /// The cluster was made by another major version than the programs that are installed.
    #[error(
        "the database in {} was made by PostgreSQL {made_by}, but the programs found are {}.\n\
         Either install PostgreSQL {made_by} (Debian: postgresql-{made_by}) and start again, or \
         dump it with the old programs (pg_dumpall), move the folder away, start, and load the \
         dump into the new one.",
        cluster.display(), listed(found)
    )]
    OtherMajor {
        /// The cluster's folder.
        cluster: PathBuf,
        /// The major version in its PG_VERSION.
        made_by: u32,
        /// The programs that were found instead.
        found: Vec<(PathBuf, u32)>,
    },
    /// The cluster's place is taken by something else.
    #[error("{} exists and is not a PostgreSQL cluster; move it away", .0.display())]
    NotACluster(PathBuf),
    /// Started as root, and the machine has no user to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor a \
         user nobody; start as another user, or add one (useradd --system postgres)"
    )]
    NoAccount,
    /// The cluster's owner may not enter its folder any more.
    #[error(
        "the database in {} belongs to the user with id {uid}, who may not enter that folder; \
         give the folders above it the x permission again",
        cluster.display()
    )]
    Unreachable {
        /// The cluster's folder.
        cluster: PathBuf,
        /// The user that runs PostgreSQL.
        uid: u32,
    },
    /// Another process runs a server on this data directory.
    #[error(
        "{} is in use by another EyeMotion{}; stop that one, or give this one its own data \
         directory",
        data_dir.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The process that holds it, when it could be read.
        pid: Option<u32>,
    },
    /// A server left by an earlier process does not stop.
    #[error("a PostgreSQL left on {} by an earlier run does not stop{}", cluster.display(),
        pid.map(|pid| format!(" (process {pid}); end it and start again")).unwrap_or_default())]
    LeftoverRuns {
        /// The cluster's folder.
        cluster: PathBuf,
        /// Its postmaster, when known.
        pid: Option<i32>,
    },
    /// The short folder for the socket exists and cannot be trusted.
    #[error("{} is not a folder of this server's user with mode 0700; remove it", .0.display())]
    SocketFolder(PathBuf),
    /// `initdb` failed.
    #[error("initdb failed ({status}):\n{tail}")]
    Init {
        /// How it ended.
        status: String,
        /// The last lines that it printed.
        tail: String,
    },
    /// The server ended by itself: at start, or while it was in use.
    #[error("PostgreSQL ended by itself ({status}); the end of {}:\n{tail}", log.display())]
    Exited {
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines since the start.
        tail: String,
    },
    /// The server runs but does not accept connections.
    #[error("PostgreSQL did not accept connections in time; the end of {}:\n{tail}", log.display())]
    NotReady {
        /// Its log.
        log: PathBuf,
        /// The log's last lines since the start.
        tail: String,
    },
    /// The server survived a fast and an immediate shutdown.
    #[error("PostgreSQL did not stop in time")]
    StopTimedOut,
    /// The server refused a connection or a statement of the set-up.
    #[error("the local PostgreSQL refused: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// A file or process operation failed.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb in the -ing form.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Names the operation and the path of an I/O error.
pub(super) trait IoContext<T> {
    fn context(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, LocalError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, LocalError> {
        self.map_err(|source| LocalError::Io {
            action,
            path: path.into(),
            source,
        })
    }
}

fn listed(found: &[(PathBuf, u32)]) -> String {
    let mut text = String::new();
    for (folder, major) in found {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{major} in {}", folder.display());
    }
    text
}

fn install_advice() -> String {
    format!(
        "PostgreSQL's programs (initdb, postgres) were not found. Install PostgreSQL \
         {OLDEST_MAJOR} to {LATEST_MAJOR}:\n\
         \x20 Debian, Ubuntu:  sudo apt-get install --no-install-recommends postgresql\n\
         \x20 Fedora, RHEL:    sudo dnf install postgresql-server\n\
         \x20 macOS:           brew install postgresql@{LATEST_MAJOR}\n\
         or name their folder with --pg-bin or EYEMOTION_PG_BIN, or use a server that runs \
         already with DATABASE_URL."
    )
}
