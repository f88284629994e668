//! The server that all tests of a checkout share.
//!
//! Whichever test process comes first starts it, under a file lock; the others find its address in
//! a file. It outlives them: a small shell keeps it, and lets it go after a minute without clients.

use std::{
    env,
    ffi::OsStr,
    fs::{self, DirBuilder, File},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{DirBuilderExt, MetadataExt},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use eyemotion_db::local::{LocalConfig, LocalError, LocalPostgres};
use tokio_postgres::{Client, error::SqlState};

use crate::database::{Failure, connect};

const EXTERNAL: &str = "EYEMOTION_TEST_DATABASE_URL";
/// Names the folder of PostgreSQL's programs, as it does for the product.
const PROGRAMS: &str = "EYEMOTION_PG_BIN";
/// The database to connect to while making others.
const MAINTENANCE: &str = "postgres";

/// Many small databases come and go at once; their write-ahead log serves nobody.
const SETTINGS: [(&str, &str); 4] = [
    ("max_connections", "300"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_wal_size", "256MB"),
];

/// How much memory must be free, in bytes, to lay the files there.
const MEMORY: u64 = 2 << 30;

/// How often to look for clients, and how long to wait for one, in seconds.
const PATIENCE: (u32, u32) = (5, 60);

/// Counts the seconds without clients. Its standard output is the server's lifeline: the server
/// ends when it ends. `$1` is psql, `$2` the server's address, `$3` how long to look away, `$4` how
/// long to be patient, both in seconds.
const KEEPER: &str = r#"
idle=0
while [ "$idle" -lt "$4" ]; do
  sleep "$3"
  clients=$("$1" -XAtqc "select count(*) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()" "$2") || exit
  if [ "$clients" = 0 ]; then idle=$((idle + $3)); else idle=0; fi
done
"#;

/// Where the server is.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: String,
}

impl Server {
    /// The address of its maintenance database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The address of another of its databases.
    pub(crate) fn url_of(&self, database: &str) -> String {
        with_database(&self.url, database)
    }
}

/// Finds or starts the server, and connects to its maintenance database.
pub(crate) async fn shared() -> Result<(Server, Client), Failure> {
    if let Ok(url) = env::var(EXTERNAL) {
        let client = connect(&url).await?;
        return Ok((Server { url }, client));
    }
    let mut folder = target_folder()?.join("eyemotion-test-pg");
    if let Some(programs) = env::var_os(PROGRAMS) {
        // Another version must not be answered by the server of the usual one.
        folder.set_extension(hash(&programs));
    }
    fs::create_dir_all(&folder)?;
    let path = folder.join("start.lock");
    // Not on this thread: the one that holds the lock may be another task of it.
    let locked = tokio::task::spawn_blocking(move || -> io::Result<File> {
        let lock = File::create(path)?;
        lock.lock()?;
        Ok(lock)
    });
    let lock = locked.await??;
    let found = find_or_start(&folder).await;
    lock.unlock()?;
    found
}

async fn find_or_start(folder: &Path) -> Result<(Server, Client), Failure> {
    let address = folder.join("url");
    if let Ok(url) = fs::read_to_string(&address) {
        match connect(&url).await {
            Ok(client) => return Ok((Server { url }, client)),
            // Not there, or about to leave.
            Err(error) if error.code().is_none() => {}
            Err(error) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let server = start(folder).await?;
    let url = with_database(&server.url(), MAINTENANCE);
    let client = connect(&url).await?;
    let psql = Some(server.bin_dir().join("psql")).filter(|psql| psql.is_file());
    keep(
        &psql.unwrap_or_else(|| "psql".into()),
        &url,
        server.into_lifeline()?,
        PATIENCE,
    )?;
    let written = folder.join("url.new");
    fs::write(&written, &url)?;
    fs::rename(written, address)?;
    Ok((Server { url }, client))
}

async fn start(folder: &Path) -> Result<LocalPostgres, Failure> {
    let data_dir = data_folder(folder)?;
    let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = LocalConfig {
        data_dir: data_dir.clone(),
        bin_dir: env::var_os(PROGRAMS).map(PathBuf::from),
        settings: settings.into(),
        ephemeral: true,
    };
    match LocalPostgres::start(&config).await {
        // Written without fsync, so a power cut may have ruined it, and PostgreSQL may have been
        // upgraded; nobody misses what is in it.
        Err(
            LocalError::Exited { .. } | LocalError::OtherMajor { .. } | LocalError::NotACluster(_),
        ) => {
            let cluster = data_dir.join("postgres").canonicalize()?;
            fs::remove_dir_all(cluster)?;
            Ok(LocalPostgres::start(&config).await?)
        }
        started => Ok(started?),
    }
}

/// In memory if there is plenty: a database is some 450 files, which are copied several times as
/// fast there. Else on disk, in `folder` itself.
fn data_folder(folder: &Path) -> io::Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map_or(0, |fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    if free < MEMORY {
        return Ok(folder.to_path_buf());
    }
    let name = format!("eyemotion-test-pg-{}", hash(folder.as_os_str()));
    let data_dir = memory.join(name);
    match DirBuilder::new().mode(0o711).create(&data_dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // Anybody could have made a folder under this name.
    let found = fs::symlink_metadata(&data_dir)?;
    let ours = found.is_dir() && found.uid() == fs::metadata(folder)?.uid();
    Ok(if ours { data_dir } else { folder.to_path_buf() })
}

/// The same for all test programs that one compiler made, which is enough.
fn hash(text: &OsStr) -> String {
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    format!("{:016x}", hash.finish())
}

fn keep(psql: &Path, url: &str, lifeline: OwnedFd, (look, idle): (u32, u32)) -> io::Result<()> {
    Command::new("/bin/sh")
        .args(["-c", KEEPER, "eyemotion-test-pg"])
        .arg(psql)
        .args([url, &look.to_string(), &idle.to_string()])
        .current_dir("/")
        // Neither the terminal's Ctrl-C nor the test runner's kill shall reach it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(lifeline)
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// Cargo's target directory: it is above the test program, and tagged as a cache by cargo.
fn target_folder() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let tagged = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    Ok(match tagged {
        Some(target) => target.to_path_buf(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
    })
}

/// Replaces the database's name in `scheme://authority/name?parameters`.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) = url
        .split_once('?')
        .map_or((url, String::new()), |(address, parameters)| {
            (address, format!("?{parameters}"))
        });
    let authority = address.find("://").map_or(0, |scheme| scheme + 3);
    let end = address
        .get(authority..)
        .and_then(|rest| rest.find('/'))
        .map_or(address.len(), |slash| authority + slash);
    let address = address.get(..end).unwrap_or(address);
    format!("{address}/{database}{parameters}")
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt, time::Duration};

    use super::*;

    #[test]
    fn the_database_in_an_address_is_replaced() {
        let cases = [
            (
                "postgres://me@%2Ftmp%2Fx/eyemotion",
                "postgres://me@%2Ftmp%2Fx/new",
            ),
            (
                "postgres://me:p@host:5/a?x=/y",
                "postgres://me:p@host:5/new?x=/y",
            ),
            ("postgresql://host", "postgresql://host/new"),
            ("postgresql://host?x=y", "postgresql://host/new?x=y"),
        ];
        for (url, expected) in cases {
            assert_eq!(with_database(url, "new"), expected);
        }
    }

    #[tokio::test]
    async fn a_kept_server_stays_while_it_has_a_client_and_then_ends() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let config = LocalConfig {
            data_dir: folder.path().to_path_buf(),
            ephemeral: true,
            ..LocalConfig::default()
        };
        let server = LocalPostgres::start(&config).await.unwrap();
        let (url, psql) = (server.url(), server.bin_dir().join("psql"));
        let socket = server.socket_dir().join(".s.PGSQL.5432");
        let client = connect(&url).await.unwrap();
        keep(&psql, &url, server.into_lifeline().unwrap(), (1, 2)).unwrap();

        let sessions = "SELECT sessions FROM pg_stat_database WHERE datname = 'eyemotion'";
        let looks = async || {
            client
                .query_one(sessions, &[])
                .await
                .unwrap()
                .get::<_, i64>(0)
        };
        let before = looks().await;
        while looks().await < before + 4 {
            tokio::task::yield_now().await;
        }
        drop(client);
        while socket.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
