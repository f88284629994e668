//! A server for one test alone, for what concerns the whole server: roles, certificates, restarts.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use eyemotion_db::DatabaseConfig;
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

pub struct Server {
    local: LocalPostgres,
    config: LocalConfig,
    _folder: TempDir,
}

impl Server {
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As root the server runs as somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let settings = settings
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let config = LocalConfig {
            data_dir: folder.path().to_owned(),
            bin_dir: env::var_os("EYEMOTION_PG_BIN").map(PathBuf::from),
            settings: settings.collect(),
            ephemeral: true,
        };
        let local = LocalPostgres::start(&config).await.unwrap();
        Self {
            local,
            config,
            _folder: folder,
        }
    }

    pub async fn restart(self) -> Self {
        self.local.stop().await.unwrap();
        let local = LocalPostgres::start(&self.config).await.unwrap();
        Self { local, ..self }
    }

    /// The files of the cluster.
    pub fn cluster(&self) -> PathBuf {
        self.config
            .data_dir
            .join("postgres")
            .canonicalize()
            .unwrap()
    }

    /// How a login reaches a database.
    pub fn config(&self, login: &str, database: &str) -> DatabaseConfig {
        let folder = self.local.socket_dir().to_str().unwrap();
        let folder = utf8_percent_encode(folder, NON_ALPHANUMERIC);
        let login = utf8_percent_encode(login, NON_ALPHANUMERIC);
        DatabaseConfig::new(format!("postgres://{login}@{folder}/{database}"))
    }

    pub async fn superuser(&self, database: &str) -> Client {
        self.connect("eyemotion", database).await
    }

    pub async fn connect(&self, login: &str, database: &str) -> Client {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(self.local.socket_dir())
            .user(login)
            .dbname(database)
            .connect(NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }
}
