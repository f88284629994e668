//! The server that all tests of a checkout share.
//!
//! Whichever test process comes first starts it, under a file lock; the others find its address in
//! a file. It outlives them: a small shell keeps it, and lets it go after a minute without clients.

use std::{
    env,
    fs::{self, File},
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use eyemotion_db::local::{LocalConfig, LocalError, LocalPostgres};
use tokio_postgres::{Client, error::SqlState};

use crate::database::{Failure, connect};

const EXTERNAL: &str = "EYEMOTION_TEST_DATABASE_URL";
/// The database to connect to while making others.
const MAINTENANCE: &str = "postgres";

/// Counts the seconds without clients. Its standard output is the server's lifeline: the server
/// ends when it ends. `$1` is psql, `$2` the server's address.
const KEEPER: &str = r#"
idle=0
while [ "$idle" -lt 60 ]; do
  sleep 5
  clients=$("$1" -XAtqc "select count(*) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()" "$2") || exit
  if [ "$clients" = 0 ]; then idle=$((idle + 5)); else idle=0; fi
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
    let folder = target_folder()?.join("eyemotion-test-pg");
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
    )?;
    let written = folder.join("url.new");
    fs::write(&written, &url)?;
    fs::rename(written, address)?;
    Ok((Server { url }, client))
}

async fn start(folder: &Path) -> Result<LocalPostgres, Failure> {
    let config = LocalConfig {
        data_dir: folder.to_path_buf(),
        settings: vec![("max_connections".to_owned(), "300".to_owned())],
        ephemeral: true,
        ..LocalConfig::default()
    };
    match LocalPostgres::start(&config).await {
        // Written without fsync, so a power cut may have ruined it, and PostgreSQL may have been
        // upgraded; nobody misses what is in it.
        Err(
            LocalError::Exited { .. } | LocalError::OtherMajor { .. } | LocalError::NotACluster(_),
        ) => {
            let cluster = folder.join("postgres").canonicalize()?;
            fs::remove_dir_all(cluster)?;
            Ok(LocalPostgres::start(&config).await?)
        }
        started => Ok(started?),
    }
}

fn keep(psql: &Path, url: &str, lifeline: OwnedFd) -> io::Result<()> {
    Command::new("/bin/sh")
        .args(["-c", KEEPER, "eyemotion-test-pg"])
        .arg(psql)
        .arg(url)
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
}
