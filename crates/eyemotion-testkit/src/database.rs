//! A database for one test.

use std::{
    error::Error,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use eyemotion_db::DatabaseConfig;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{
    server::{self, Server},
    template,
};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const PREFIX: &str = "t_";
/// Older databases belong to tests that were killed or have failed.
const STALE: Duration = Duration::from_hours(1);
/// A broken migration fails every test; only the latest of their databases stay.
const KEPT: usize = 20;
/// The shared server may be ending in the moment in which we find it.
const ATTEMPTS: usize = 3;

/// A database with the current schema that no other test sees. It is dropped with this value,
/// unless the test fails: then it stays for an hour to be looked at, and its address is printed.
///
/// The server is shared by all tests of a checkout; `eyemotion-test-pg` under cargo's target
/// directory says where it is, and `EYEMOTION_PG_BIN` whose programs it is made of. To use another one, name it in `EYEMOTION_TEST_DATABASE_URL`: an address in URL form
/// without TLS, of a login that may create databases and roles.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
    url: String,
    // Shows that the database is in use, and with it the server, which ends itself when idle.
    _present: Client,
}

impl TestDatabase {
    /// A new database.
    ///
    /// # Panics
    /// If there is no PostgreSQL to be had, or the migrations fail.
    pub async fn new() -> Self {
        Self::with_schema(true).await
    }

    /// A new database with nothing in it: somebody else's.
    ///
    /// # Panics
    /// If there is no PostgreSQL to be had.
    pub async fn empty() -> Self {
        Self::with_schema(false).await
    }

    #[expect(clippy::panic, reason = "a test without its database has failed")]
    async fn with_schema(schema: bool) -> Self {
        let mut attempt = 1;
        loop {
            match Self::create(schema).await {
                Ok(database) => return database,
                Err(error) if attempt == ATTEMPTS || !is_disconnect(&*error) => {
                    panic!("no test database: {error}{}", causes(&*error));
                }
                Err(_) => attempt += 1,
            }
        }
    }

    async fn create(schema: bool) -> Result<Self, Failure> {
        let (server, maintenance) = server::shared().await?;
        let template = if schema {
            template::ensure(&server, &maintenance).await?
        } else {
            "template0".to_owned()
        };
        drop_stale(&maintenance).await?;
        let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
        maintenance
            .batch_execute(&format!(
                "CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
            ))
            .await?;
        let url = server.url_of(&name);
        let present = connect(&url).await?;
        Ok(Self {
            server,
            name,
            url,
            _present: present,
        })
    }

    /// The address of the database, as its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How the code under test reaches the database: the defaults with a small pool, since many
    /// tests share the server.
    pub fn config(&self) -> DatabaseConfig {
        let mut config = DatabaseConfig::new(&self.url);
        config.pool_size = 4;
        config
    }

    /// A new connection as the superuser, to prepare and to look.
    ///
    /// # Panics
    /// If the server is gone.
    #[expect(clippy::panic, reason = "a test without its database has failed")]
    pub async fn admin(&self) -> Client {
        match connect(&self.url).await {
            Ok(client) => client,
            Err(error) => panic!("the test database is gone: {error}{}", causes(&error)),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if thread::panicking() {
            #[expect(clippy::print_stderr, reason = "for the person who mends the test")]
            {
                eprintln!("the failed test's database stays for an hour: {}", self.url);
            }
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime may be the one that is ending. What cannot be dropped now is
        // dropped when it is stale.
        let dropping = thread::spawn(move || -> Result<(), Failure> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let maintenance = connect(server.url()).await?;
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                Ok(maintenance.batch_execute(&drop).await?)
            })
        });
        let _ = dropping.join();
    }
}

pub(crate) async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The tests' databases that nobody is connected to, the oldest first.
async fn left_over(maintenance: &Client) -> Result<Vec<String>, Failure> {
    let names = "SELECT datname::text FROM pg_database d WHERE datname ^@ $1 \
         AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) \
         ORDER BY datname";
    let rows = maintenance.query(names, &[&PREFIX]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn drop_stale(maintenance: &Client) -> Result<(), Failure> {
    let now = SystemTime::now();
    let left_over = left_over(maintenance).await?;
    let surplus = left_over.len().saturating_sub(KEPT);
    for (at, name) in left_over.iter().enumerate() {
        if at < surplus || is_stale(name, now) {
            // Another test may be faster, or somebody has just begun to look at it.
            let drop = format!("DROP DATABASE IF EXISTS {name}");
            let _ = maintenance.batch_execute(&drop).await;
        }
    }
    Ok(())
}

/// The name is a UUID of version 7, which holds its time.
fn is_stale(name: &str, now: SystemTime) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|id| Uuid::try_parse(id).ok()?.get_timestamp())
        .is_some_and(|made| {
            let made = UNIX_EPOCH + Duration::from_secs(made.to_unix().0);
            now.duration_since(made).is_ok_and(|age| age > STALE)
        })
}

/// Whether the connection broke or was refused, as against a statement that failed.
fn is_disconnect(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<tokio_postgres::Error>()
        .is_some_and(|error| {
            error.code().is_none_or(|code| {
                // Operator intervention: shutting down, starting up.
                code.code().starts_with("57P")
            })
        })
}

fn causes(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_grow_stale_and_only_after_an_hour() {
        let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
        let now = SystemTime::now();
        assert!(!is_stale(&name, now));
        assert!(!is_stale(&name, now + Duration::from_mins(59)));
        assert!(is_stale(&name, now + Duration::from_mins(61)));
        let later = now + Duration::from_hours(1000);
        for other in ["t_shirts", "postgres", "t_"] {
            assert!(!is_stale(other, later), "{other}");
        }
    }
}
