use crate::config::DatabaseConfig;
use crate::connect::{ConnectError, Connector};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use crate::schema_files::{REPLACEABLE, STEPS, Step};
use diesel::migration::MigrationVersion;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::MigrationHarness;
use tokio_postgres::Client;

/// Held while migrating, so that replicas that start together wait for each other.
const LOCK: i64 = 0x6579_656d_6f74_696f;

/// The schema cannot be brought to the wanted state.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The login lacks a right that the migrations need.
    #[error(
        "the database login {login:?} may not create roles, and these are missing: {missing}.\n\
         Ask the database's administrator to run:\n{sql}"
    )]
    Roles {
        /// The login.
        login: String,
        /// The roles that are missing, comma-separated.
        missing: String,
        /// What to run.
        sql: String,
    },
    /// The server is older than the oldest that is supported.
    #[error("PostgreSQL {0} is too old; 15 to 18 are supported")]
    TooOld(String),
    /// A statement failed.
    #[error("{step}: {message}")]
    Failed {
        /// The migration or file.
        step: String,
        /// What the server said.
        message: String,
    },
}

impl MigrateError {
    fn failed(step: impl Into<String>, error: impl std::fmt::Display) -> Self {
        Self::Failed { step: step.into(), message: error.to_string() }
    }
}

/// A migration and whether it has been applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationState {
    /// The directory's name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Brings the schema up to date; repeating changes nothing. Returns the migrations that ran.
pub async fn migrate(config: &DatabaseConfig) -> Result<Vec<String>, MigrateError> {
    let connector = Connector::new(config)?;
    let guard = Guard::take(&connector).await?;
    check_server(&guard.client).await?;
    let connection = connector.connect_diesel().await?;
    let ran = with_harness(connection, |harness| {
        let applied = applied(harness)?;
        let mut ran = Vec::new();
        for step in STEPS.iter().filter(|step| !applied.contains(&step.version())) {
            harness.run_migration(step).map_err(|error| step_failed(step, &*error))?;
            ran.push(step.name.to_owned());
        }
        Ok(ran)
    })
    .await?;
    apply_replaceable(&guard.client, !ran.is_empty()).await?;
    guard.release().await;
    Ok(ran)
}

/// Every migration, oldest first.
pub async fn migration_status(config: &DatabaseConfig) -> Result<Vec<MigrationState>, MigrateError> {
    let connection = Connector::new(config)?.connect_diesel().await?;
    with_harness(connection, |harness| {
        let applied = applied(harness)?;
        Ok(STEPS
            .iter()
            .map(|step| MigrationState {
                name: step.name.to_owned(),
                applied: applied.contains(&step.version()),
            })
            .collect())
    })
    .await
}

/// Takes the newest `steps` migrations back; their data is lost. Returns their names.
pub async fn migrate_down(
    config: &DatabaseConfig,
    steps: usize,
) -> Result<Vec<String>, MigrateError> {
    let connector = Connector::new(config)?;
    let guard = Guard::take(&connector).await?;
    let connection = connector.connect_diesel().await?;
    let names = with_harness(connection, move |harness| {
        let applied = applied(harness)?;
        let mut names = Vec::new();
        let newest = STEPS.iter().rev().filter(|step| applied.contains(&step.version()));
        for step in newest.take(steps) {
            harness.revert_migration(step).map_err(|error| step_failed(step, &*error))?;
            names.push(step.name.to_owned());
        }
        Ok(names)
    })
    .await?;
    guard.release().await;
    Ok(names)
}

type Harness = AsyncMigrationHarness<AsyncPgConnection>;

/// Diesel's harness is synchronous and blocks inside a multi-threaded runtime, which the caller's
/// may not be.
async fn with_harness<T: Send + 'static>(
    connection: AsyncPgConnection,
    work: impl FnOnce(&mut Harness) -> Result<T, MigrateError> + Send + 'static,
) -> Result<T, MigrateError> {
    let joined = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| MigrateError::failed("runtime", error))?;
        runtime.block_on(async { work(&mut AsyncMigrationHarness::new(connection)) })
    })
    .await;
    joined.map_err(|error| MigrateError::failed("migrations", error))?
}

fn applied(harness: &mut Harness) -> Result<Vec<MigrationVersion<'static>>, MigrateError> {
    harness.applied_migrations().map_err(|error| MigrateError::failed("migrations", error))
}

fn step_failed(step: &Step, error: &(dyn std::error::Error + 'static)) -> MigrateError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    MigrateError::failed(step.name, text)
}

/// The advisory lock, held by a connection of its own.
struct Guard {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
}

impl Guard {
    async fn take(connector: &Connector) -> Result<Self, MigrateError> {
        let (client, connection) = connector.connect_raw().await?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the migrating connection broke");
            }
        });
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
            .await
            .map_err(|error| server_said("lock", &error))?;
        Ok(Self { client, connection })
    }

    /// Ending the connection ends the lock.
    async fn release(self) {
        drop(self.client);
        if self.connection.await.is_err() {
            tracing::warn!("the migrating connection did not end well");
        }
    }
}

fn server_said(step: &str, error: &tokio_postgres::Error) -> MigrateError {
    match error.as_db_error() {
        Some(db) => {
            let hint = db.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            MigrateError::failed(step, format!("{}{hint}", db.message()))
        }
        None => MigrateError::failed(step, error),
    }
}

const ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

async fn check_server(client: &Client) -> Result<(), MigrateError> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
             current_user::text, \
             (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user), \
             array(SELECT role FROM unnest($1::text[]) role \
                   WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role \
                                     AND pg_has_role(current_user, oid, 'member')))",
            &[&ROLES.as_slice()],
        )
        .await
        .map_err(|error| server_said("checking the server", &error))?;
    let version: i32 = row.get(0);
    if version < 150_000 {
        return Err(MigrateError::TooOld(row.get(1)));
    }
    let (login, may_create, missing): (String, bool, Vec<String>) =
        (row.get(2), row.get(3), row.get(4));
    if may_create || missing.is_empty() {
        return Ok(());
    }
    let quoted = login.replace('"', "\"\"");
    let sql: Vec<String> = missing
        .iter()
        .map(|role| {
            format!(
                "DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object \
                 THEN NULL; END $$; GRANT {role} TO \"{quoted}\";"
            )
        })
        .collect();
    Err(MigrateError::Roles { login, missing: missing.join(", "), sql: sql.join("\n") })
}

/// Applies `migrations/sql` in one transaction, if it is not the one that is there already: the
/// hash is kept as the comment of schema `auth`.
async fn apply_replaceable(client: &Client, force: bool) -> Result<(), MigrateError> {
    let all: String = REPLACEABLE.iter().map(|(_, sql)| *sql).collect();
    let hash = format!("eyemotion {}", HEXLOWER.encode(digest(&SHA256, all.as_bytes()).as_ref()));
    let current = client
        .query_opt(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'auth'",
            &[],
        )
        .await
        .map_err(|error| server_said("reading the schema's state", &error))?
        .and_then(|row| row.get::<_, Option<String>>(0));
    if !force && current.as_deref() == Some(&hash) {
        return Ok(());
    }
    let run = async |step: &str, sql: &str| {
        client.batch_execute(sql).await.map_err(|error| server_said(step, &error))
    };
    run("begin", "BEGIN; SET LOCAL client_min_messages = warning").await?;
    for (file, sql) in REPLACEABLE {
        run(file, sql).await?;
    }
    run("commit", &format!("COMMENT ON SCHEMA auth IS '{hash}'; COMMIT")).await
}
