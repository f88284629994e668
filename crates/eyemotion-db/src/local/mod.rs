//! A PostgreSQL of our own for one machine: found among the system's programs, made, started and
//! stopped together with this process.
//!
//! The server speaks on a Unix socket only. It ends when the process that started it ends, however
//! that happens; see [`LocalPostgres::start`] for what a start takes care of.

mod account;
mod cluster;
mod error;
mod leftovers;
mod log;
mod placement;
mod programs;
mod socket;
mod supervisor;

use std::{
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use tokio_postgres::{Client, NoTls, error::SqlState};

pub use self::{
    error::LocalError,
    programs::{Programs, find_programs},
};
use self::{
    log::Log,
    placement::{DirectoryLock, Placement},
    programs::Search,
    supervisor::Supervisor,
};

/// The oldest and the latest major version that EyeMotion runs on.
const OLDEST_MAJOR: u32 = 15;
const LATEST_MAJOR: u32 = 18;

const SUPERUSER: &str = "eyemotion";
const DATABASE: &str = "eyemotion";

const READY_POLL: Duration = Duration::from_millis(10);
/// Replaying the write-ahead log after a crash counts as starting.
const READY_LIMIT: Duration = Duration::from_mins(5);

/// How to run a local PostgreSQL.
#[derive(Debug, Clone, Default)]
pub struct LocalConfig {
    /// Where the cluster lies, in a folder `postgres`, with its log and its lock. Created if
    /// missing.
    pub data_dir: PathBuf,
    /// The folder of `initdb` and `postgres`; searched for when absent.
    pub bin_dir: Option<PathBuf>,
    /// Server settings that come on top of ours and win over them, for example
    /// `("max_connections", "300")`.
    pub settings: Vec<(String, String)>,
    /// Trade durability for speed (no fsync): for tests, whose data nobody will miss.
    pub ephemeral: bool,
}

/// A running local PostgreSQL, and the lock on its data directory. Dropping it stops the server in
/// the background; [`LocalPostgres::stop`] also waits for that.
#[derive(Debug)]
pub struct LocalPostgres {
    supervisor: Supervisor,
    socket_dir: PathBuf,
    programs: Programs,
    log: Log,
    // Last: freed when nothing of ours touches the directory any more.
    _lock: DirectoryLock,
}

impl LocalPostgres {
    /// Starts the server, and returns when it accepts connections to its database.
    ///
    /// Makes the cluster and the database `eyemotion` if they are missing. As root, the server runs
    /// as the cluster's owner, `postgres` or `nobody`; if that user may not enter the data
    /// directory, the cluster lies under `/var/lib/eyemotion`. What an earlier run left behind is
    /// cleared first: a server that still runs, a stale pid file, an unfinished cluster.
    pub async fn start(config: &LocalConfig) -> Result<Self, LocalError> {
        let place = Placement::find(&config.data_dir)?;
        let lock = place.lock()?;
        let mut log = Log::open(place.log())?;
        leftovers::settle(&place, log.file()).await?;
        log.rotate()?;
        place.record()?;
        if place.is_outside() {
            tracing::info!(
                data_dir = %place.data_dir.display(), cluster = %place.cluster.display(),
                "the database's user may not enter the data directory, so its files lie outside"
            );
        }

        let made_by = cluster::major(&place.cluster)?;
        let programs = Search::of_this_machine(place.account)
            .find(config.bin_dir.as_deref(), made_by)
            .map_err(|missing| missing.into_error(made_by.map(|by| (&*place.cluster, by))))?;
        if made_by.is_none() {
            tracing::info!(
                cluster = %place.cluster.display(), version = programs.major,
                "making a PostgreSQL cluster"
            );
            cluster::make(&programs, &place, &log, !config.ephemeral).await?;
        }
        place.check_reachable()?;

        let socket_dir = socket::prepare(&place)?;
        leftovers::remove_socket(&socket::path(&socket_dir))?;
        let mut command = supervisor::command(&programs.program("postgres"), place.account);
        command.arg("-D").arg(&place.cluster);
        for (name, value) in settings(config, &socket_dir) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let supervisor = Supervisor::start(command, &log)?;
        let server = Self {
            supervisor,
            socket_dir,
            programs,
            log,
            _lock: lock,
        };
        server.ready().await?;
        tracing::info!(
            version = server.version(), socket = %server.socket_dir.display(),
            "the local PostgreSQL accepts connections"
        );
        Ok(server)
    }

    /// The connection string of the database, as its superuser:
    /// `postgres://eyemotion@<percent-encoded socket folder>/eyemotion`.
    pub fn url(&self) -> String {
        let folder = percent_encode(self.socket_dir.as_os_str().as_bytes(), NON_ALPHANUMERIC);
        format!("postgres://{SUPERUSER}@{folder}/{DATABASE}")
    }

    /// The folder of the server's Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The server's major version, for example 17.
    pub fn version(&self) -> u32 {
        self.programs.major
    }

    /// The folder of PostgreSQL's programs, for `pg_dump` and its siblings.
    pub fn bin_dir(&self) -> &Path {
        &self.programs.bin_dir
    }

    /// Waits until the server ends without having been told to, which it does not do in health, and
    /// returns what is known of the cause.
    pub async fn exited(&self) -> LocalError {
        let status = self.supervisor.exited().await;
        LocalError::Exited {
            status: status.map_or_else(|| "unknown".to_owned(), |status| status.to_string()),
            log: self.log.path().to_path_buf(),
            tail: self.log.tail(),
        }
    }

    /// Stops the server: a fast shutdown, then an immediate one after 15 seconds.
    pub async fn stop(self) -> Result<(), LocalError> {
        self.supervisor.stop().await
    }

    /// Lets the server outlive this process: it runs until the last holder of the returned pipe
    /// end has closed it. The data directory is unlocked, so the next [`LocalPostgres::start`]
    /// on it stops the server.
    pub fn into_lifeline(self) -> Result<OwnedFd, LocalError> {
        self.supervisor.into_lifeline()
    }

    async fn ready(&self) -> Result<(), LocalError> {
        let accepts = async {
            while !self.accepts().await? {
                tokio::time::sleep(READY_POLL).await;
            }
            Ok(())
        };
        tokio::select! {
            accepted = tokio::time::timeout(READY_LIMIT, accepts) => {
                accepted.unwrap_or_else(|_elapsed| Err(LocalError::NotReady {
                    log: self.log.path().to_path_buf(),
                    tail: self.log.tail(),
                }))
            }
            error = self.exited() => Err(error),
        }
    }

    /// Whether the database accepts connections, making it on the way if there is none.
    async fn accepts(&self) -> Result<bool, LocalError> {
        match self.connect(DATABASE).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
                let client = self.connect("postgres").await?;
                client
                    .batch_execute(&format!("CREATE DATABASE {DATABASE}"))
                    .await?;
                Ok(true)
            }
            // Starting up, or still without a socket.
            Err(error) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) => Ok(false),
            Err(error) if error.code().is_none() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn connect(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(&self.socket_dir)
            .user(SUPERUSER)
            .dbname(database)
            .connect(NoTls)
            .await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// The server's settings, ours first: of a setting given twice, PostgreSQL takes the last.
fn settings<'a>(
    config: &'a LocalConfig,
    socket_dir: &Path,
) -> impl Iterator<Item = (&'a str, String)> {
    // A list setting: a quoted element may hold commas and spaces.
    let folder = socket_dir.to_string_lossy().replace('"', "\"\"");
    let own = [
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("port", "5432"),
        ("cluster_name", "eyemotion"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        // One machine that does other things too. Compiling queries costs more than it gives here.
        ("shared_buffers", "128MB"),
        ("max_connections", "100"),
        ("jit", "off"),
        // What goes wrong in a statement is told to its client, which logs it; the server's own log
        // holds no user's data and stays small.
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        ("log_min_messages", "log"),
        ("log_checkpoints", "off"),
        ("log_line_prefix", "%m [%p] "),
    ];
    let durability: &[_] = if config.ephemeral {
        &[
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
        ]
    } else {
        &[("fsync", "on")]
    };
    own.into_iter()
        .chain(durability.iter().copied())
        .map(|(name, value)| (name, value.to_owned()))
        .chain([("unix_socket_directories", format!("\"{folder}\""))])
        .chain(
            config
                .settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        )
}
