//! A database on a server of its own that belongs to a login without a superuser's rights, as on a
//! managed server.

use crate::session::Session;
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use eyemotion_db::{DatabaseConfig, migrate};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

const OWNER: &str = "owner";
const NAME: &str = "schema";

pub(crate) struct OwnedDatabase {
    server: LocalPostgres,
    _folder: TempDir,
}

impl OwnedDatabase {
    /// A migrated database.
    pub(crate) async fn new() -> Self {
        let database = Self::empty().await;
        migrate(&database.config()).await.unwrap();
        database
    }

    /// A database without anything.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As root the server runs as somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let config = LocalConfig {
            data_dir: folder.path().to_path_buf(),
            bin_dir: env::var_os("EYEMOTION_PG_BIN").map(PathBuf::from),
            ephemeral: true,
            ..LocalConfig::default()
        };
        let server = LocalPostgres::start(&config).await.unwrap();
        let superuser = connect(server.socket_dir(), "eyemotion", "eyemotion").await;
        superuser
            .batch_execute(&format!("create role {OWNER} login createrole"))
            .await
            .unwrap();
        superuser
            .batch_execute(&format!("create database {NAME} owner {OWNER}"))
            .await
            .unwrap();
        Self {
            server,
            _folder: folder,
        }
    }

    pub(crate) fn config(&self) -> DatabaseConfig {
        let url = self.server.url();
        let (_, address) = url.split_once('@').unwrap();
        let (host, _) = address.rsplit_once('/').unwrap();
        DatabaseConfig::new(format!("postgres://{OWNER}@{host}/{NAME}"))
    }

    /// A session of the owning login.
    pub(crate) async fn session(&self) -> Session {
        Session::new(connect(self.server.socket_dir(), OWNER, NAME).await)
    }

    /// A session of the server's superuser in the same database.
    pub(crate) async fn superuser(&self) -> Session {
        Session::new(connect(self.server.socket_dir(), "eyemotion", NAME).await)
    }
}

async fn connect(socket_dir: &Path, user: &str, database: &str) -> Client {
    let (client, connection) = Config::new()
        .host_path(socket_dir)
        .user(user)
        .dbname(database)
        .connect(NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}
