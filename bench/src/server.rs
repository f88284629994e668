//! The server under test on a database of its own, both gone afterwards.

use crate::Result;
use crate::http::{self, Load, Request};
use eyemotion_db::local::{LocalConfig, LocalPostgres};
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// What webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_bench";

/// The running server.
pub struct Server {
    process: Process,
    port: u16,
    /// A second process on the same database, which keeps nothing in memory.
    forgetful: Process,
    forgetful_port: u16,
    postgres: LocalPostgres,
    directory: TempDir,
}

impl Server {
    /// Starts a local PostgreSQL with its safe settings (fsync on) and the server on it.
    pub async fn start(binary: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let data_dir = directory.path().join("postgres");
        let postgres = LocalPostgres::start(&LocalConfig {
            data_dir,
            ..LocalConfig::default()
        })
        .await?;
        let data = directory.path().join("data");
        let (process, port) = serve(binary, &postgres.url(), &data, true).await?;
        let (forgetful, forgetful_port) = serve(binary, &postgres.url(), &data, false).await?;
        Ok(Self {
            process,
            port,
            forgetful,
            forgetful_port,
            postgres,
            directory,
        })
    }

    /// Where the process listens that asks the database each time.
    pub const fn forgetful_port(&self) -> u16 {
        self.forgetful_port
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Sends one request.
    pub async fn call(&self, request: &Request) -> Result<Value> {
        http::call(request.port.unwrap_or(self.port), request).await
    }

    /// Sends many, all to one process.
    pub async fn load(&self, requests: &[Request], clients: usize, time: Duration) -> Result<Load> {
        let port = requests.first().and_then(|request| request.port);
        http::load(port.unwrap_or(self.port), requests, clients, time).await
    }

    /// Runs SQL as the database's owner.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.postgres.url(), NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await?;
        drop(client);
        connection.await??;
        Ok(())
    }

    /// Adds files that were processed long ago to a project.
    pub async fn seed_files(&self, user: &str, project: &str, count: usize) -> Result<()> {
        self.sql(&format!(
            "insert into project_files (project_id, user_id, filename, original_name, file_type, \
             mime_type, file_size, storage_path, sha256, processing_status, processing_progress, \
             confirmed_at, duration_us, width, height, fps_num, fps_den, codec, bit_rate) \
             select '{project}', '{user}', 'clip.mp4', 'clip ' || n || '.mp4', 'video', 'video/mp4', \
             1000000 + n, 'o/x/' || n, decode(repeat('ab', 32), 'hex'), 'ready', 100, now(), 5005000, \
             1920, 1080, 24000, 1001, 'h264', 8000000 from generate_series(1, {count}) n; \
             analyze;"
        ))
        .await
    }

    /// PostgreSQL's programs.
    pub fn pgbench(&self) -> PathBuf {
        self.postgres.bin_dir().join("pgbench")
    }

    /// The folder of its socket.
    pub fn socket_dir(&self) -> &Path {
        self.postgres.socket_dir()
    }

    /// PostgreSQL's log.
    pub fn log(&self) -> Result<PathBuf> {
        let folder = self.directory.path().join("postgres");
        let log = std::fs::read_dir(&folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "log"));
        Ok(log.ok_or_else(|| format!("no log in {}", folder.display()))?)
    }

    /// A folder for scripts and logs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends both.
    pub async fn stop(mut self) -> Result<()> {
        for process in [&mut self.forgetful, &mut self.process] {
            let pid = process.0.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status()?;
            process.0.wait()?;
        }
        self.postgres.stop().await?;
        Ok(())
    }
}

/// Starts a process and waits until it serves.
async fn serve(binary: &Path, url: &str, data: &Path, cache: bool) -> Result<(Process, u16)> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let process = Command::new(binary)
        .args(["serve", "--port", &port.to_string()])
        .env("DATABASE_URL", url)
        .env("EYEMOTION_DATA_DIR", data)
        .env("EYEMOTION_LOG_FILTER", "warn")
        .env("EYEMOTION_CACHE_ENABLED", cache.to_string())
        .env("STRIPE_SECRET_KEY", "sk_test_bench")
        .env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        // Background work is not what is measured.
        .env("EYEMOTION_JOBS_WORKERS", "0")
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    let process = Process(process);
    for _ in 0..200 {
        if http::call(port, &Request::get("/readyz")).await.is_ok() {
            return Ok((process, port));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the server did not become ready".into())
}

/// The server's process, which does not outlive a measurement that failed.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that has been waited for cannot be killed any more, which is right.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
