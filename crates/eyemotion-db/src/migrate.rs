use crate::config::DatabaseConfig;
use crate::connect::{ConnectError, Connector, reason};
use crate::rights;
use crate::schema_files::{REPLACEABLE, STEPS, Step};
use crate::schema_stamp::Stamp;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Held while migrating, so that replicas that start together wait for each other.
const LOCK: i64 = 0x6579_656d_6f74_696f;

/// Diesel's own ledger, so that its command-line tool works on the same database.
const LEDGER: &str = "
    CREATE TABLE IF NOT EXISTS public.__diesel_schema_migrations (
        version varchar(50) PRIMARY KEY NOT NULL,
        run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
    )";

/// Whoever waits for a table that is in use makes everybody else wait behind: better to step back
/// soon and to come again.
const SETTINGS: &str = "
    SET search_path = public; SET client_min_messages = warning; SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '2s'";
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// The schema cannot be brought to the wanted state.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The login lacks a right that the migrations need; nothing was done.
    #[error(
        "the database login {login:?} lacks what the schema needs: {missing}.\n\
         Ask the database's administrator to run, in this database:\n{sql}"
    )]
    Roles {
        /// The login.
        login: String,
        /// What it lacks, comma-separated.
        missing: String,
        /// What to run, one statement a line.
        sql: String,
    },
    /// The database holds a schema `auth` that is not ours; nothing was done.
    #[error(
        "this database already holds Supabase's auth schema, and nothing in it was touched; \
         use an empty database and bring the people over with \
         `eyemotion import supabase --database-url <this database>`"
    )]
    Occupied,
    /// The server is older than the oldest that is supported.
    #[error("PostgreSQL {0} is too old; 15 to 18 are supported")]
    TooOld(String),
    /// A newer version has migrated the database, so only that one can take its migrations back.
    #[error("the database has migrations that only a newer version can take back: {0}")]
    Newer(String),
    /// A statement failed; its migration, or all of `migrations/sql`, was rolled back.
    #[error("{step}: {message}")]
    Failed {
        /// The migration or file.
        step: String,
        /// What the server said.
        message: String,
    },
}

impl MigrateError {
    fn failed(step: &str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |error| Self::Failed {
            step: step.to_owned(),
            message: reason(&error),
        }
    }
}

/// A migration and whether it has been applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationState {
    /// The directory's name; the version alone, if a newer release has applied it.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Brings the schema up to date; repeating changes nothing. Returns the migrations that ran.
///
/// A database that a newer release has migrated is left as it is: the newer schema carries the
/// older release too while both run (expand, then contract).
pub async fn migrate(config: &DatabaseConfig) -> Result<Vec<String>, MigrateError> {
    let session = Session::open(config).await?;
    let applied = session.lock_and_look().await?;
    let pending: Vec<&Step> = STEPS.iter().filter(|step| !applied.has(step)).collect();
    if !STEPS.first().is_some_and(|first| applied.has(first)) && session.is_occupied().await? {
        return Err(MigrateError::Occupied);
    }
    rights::check(&session.client, !pending.is_empty()).await?;
    if !pending.is_empty() {
        session
            .client
            .batch_execute(LEDGER)
            .await
            .map_err(MigrateError::failed("ledger"))?;
    }
    let mut ran = Vec::new();
    for step in pending {
        let record = format!(
            "INSERT INTO public.__diesel_schema_migrations (version) VALUES ('{}')",
            step.version()
        );
        session
            .transaction(&[(step.name, step.up), (step.name, &record)])
            .await?;
        ran.push(step.name.to_owned());
    }
    session.replace(!ran.is_empty(), &applied).await?;
    session.close().await;
    Ok(ran)
}

/// Every migration, oldest first. Reads only.
pub async fn migration_status(
    config: &DatabaseConfig,
) -> Result<Vec<MigrationState>, MigrateError> {
    let session = Session::open(config).await?;
    let applied = session.applied().await?;
    session.close().await;
    let known = STEPS.iter().map(|step| MigrationState {
        name: step.name.to_owned(),
        applied: applied.has(step),
    });
    let newer = applied.newer().map(|version| MigrationState {
        name: version.clone(),
        applied: true,
    });
    Ok(known.chain(newer).collect())
}

/// Takes the newest `steps` migrations back; their data is lost. Returns their names.
pub async fn migrate_down(
    config: &DatabaseConfig,
    steps: usize,
) -> Result<Vec<String>, MigrateError> {
    let session = Session::open(config).await?;
    let applied = session.lock_and_look().await?;
    let newer: Vec<&str> = applied.newer().map(String::as_str).collect();
    if !newer.is_empty() {
        return Err(MigrateError::Newer(newer.join(", ")));
    }
    let mut names = Vec::new();
    for step in STEPS
        .iter()
        .rev()
        .filter(|step| applied.has(step))
        .take(steps)
    {
        let forget = format!(
            "DELETE FROM public.__diesel_schema_migrations WHERE version = '{}'",
            step.version()
        );
        session
            .transaction(&[(step.name, step.down), (step.name, &forget)])
            .await?;
        names.push(step.name.to_owned());
    }
    session.close().await;
    Ok(names)
}

/// The versions of the migrations that the database has.
struct Applied(Vec<String>);

impl Applied {
    fn has(&self, step: &Step) -> bool {
        self.0.iter().any(|version| version == step.version())
    }

    /// Those of a newer release.
    fn newer(&self) -> impl Iterator<Item = &String> {
        let newest = STEPS.last().map_or("", Step::version);
        self.0
            .iter()
            .filter(move |version| version.as_str() > newest)
    }
}

/// The one connection that migrates, and that holds the lock meanwhile.
struct Session {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
}

impl Session {
    async fn open(config: &DatabaseConfig) -> Result<Self, MigrateError> {
        let (client, connection) = Connector::new(config)?.connect_raw().await?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = reason(&error), "the migrating connection broke");
            }
        });
        Ok(Self { client, connection })
    }

    /// Waits for whoever is migrating.
    async fn lock_and_look(&self) -> Result<Applied, MigrateError> {
        let lock = format!(
            "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK})"
        );
        self.client
            .batch_execute(&lock)
            .await
            .map_err(MigrateError::failed("lock"))?;
        self.client
            .batch_execute(SETTINGS)
            .await
            .map_err(MigrateError::failed("settings"))?;
        self.applied().await
    }

    async fn applied(&self) -> Result<Applied, MigrateError> {
        let versions = "SELECT version FROM public.__diesel_schema_migrations ORDER BY version";
        match self.client.query(versions, &[]).await {
            Ok(rows) => Ok(Applied(rows.iter().map(|row| row.get(0)).collect())),
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(Applied(vec![])),
            Err(error) => Err(MigrateError::failed("reading the migrations")(error)),
        }
    }

    async fn is_occupied(&self) -> Result<bool, MigrateError> {
        let auth = "SELECT to_regnamespace('auth') IS NOT NULL";
        let row = self.client.query_one(auth, &[]).await;
        row.map(|row| row.get(0))
            .map_err(MigrateError::failed("looking for a schema auth"))
    }

    /// Runs named scripts in one transaction, again if a table is in use.
    async fn transaction(&self, scripts: &[(&str, &str)]) -> Result<(), MigrateError> {
        let mut attempt = 1;
        loop {
            let Err((name, error)) = self.attempt(scripts).await else {
                return Ok(());
            };
            // After a broken connection there is nothing to roll back.
            let _ = self.client.batch_execute("ROLLBACK").await;
            let busy = matches!(
                error.code(),
                Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED)
            );
            if !busy || attempt == ATTEMPTS {
                return Err(MigrateError::failed(name)(error));
            }
            tracing::info!(step = name, attempt, "a table is in use; trying again");
            attempt += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn attempt<'a>(
        &self,
        scripts: &[(&'a str, &str)],
    ) -> Result<(), (&'a str, tokio_postgres::Error)> {
        for (name, sql) in [("begin", "BEGIN")]
            .iter()
            .chain(scripts)
            .chain(&[("commit", "COMMIT")])
        {
            self.client
                .batch_execute(sql)
                .await
                .map_err(|error| (*name, error))?;
        }
        Ok(())
    }

    /// Applies `migrations/sql`, if it is not what is there already.
    async fn replace(&self, migrated: bool, applied: &Applied) -> Result<(), MigrateError> {
        let ours = Stamp::ours();
        let row = self.client.query_opt(Stamp::READ, &[]).await;
        let theirs = row
            .map_err(MigrateError::failed("reading the schema's stamp"))?
            .and_then(|row| row.get::<_, Option<String>>(0))
            .and_then(|comment| Stamp::parse(&comment));
        let newer = applied.newer().count() > 0
            || theirs
                .as_ref()
                .is_some_and(|theirs| theirs.is_newer_than(&ours));
        if newer && !migrated {
            tracing::warn!("a newer release has migrated the database; it is left as it is");
            return Ok(());
        }
        if !migrated && theirs.as_ref() == Some(&ours) {
            return Ok(());
        }
        let stamp = ours.write();
        let mut scripts = REPLACEABLE.to_vec();
        scripts.push(("the schema's stamp", &stamp));
        self.transaction(&scripts).await
    }

    /// The lock is free when the connection has ended.
    async fn close(self) {
        drop(self.client);
        if self.connection.await.is_err() {
            tracing::warn!("the migrating connection did not end well");
        }
    }
}
