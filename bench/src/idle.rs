//! What the server holds when nobody asks for anything.

use crate::Result;
use crate::http::{self, Request};
use std::fs::Permissions;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Starts `binary` as somebody does who has configured nothing, and prints what Linux says of its
/// memory six seconds after it was ready. PostgreSQL's processes are not counted.
pub async fn run(binary: &Path) -> Result<()> {
    // PostgreSQL runs as another user if we are root, and has to get to its files.
    let directory = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()?;
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut process = Command::new(binary)
        .args(["serve", "--port", &port.to_string(), "--data-dir"])
        .arg(directory.path().join("data"))
        .env("EYEMOTION_LOG_FILTER", "warn")
        .env_remove("DATABASE_URL")
        .stdout(Stdio::null())
        .spawn()?;
    let pid = process.id().to_string();
    let status = status(&pid, port).await;
    Command::new("kill").args(["-TERM", &pid]).status()?;
    process.wait()?;
    let mut out = std::io::stdout().lock();
    for line in status?.lines() {
        if ["VmRSS:", "RssAnon:", "RssFile:"]
            .iter()
            .any(|name| line.starts_with(name))
        {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

async fn status(pid: &str, port: u16) -> Result<String> {
    for _ in 0..200 {
        if http::call(port, &Request::get("/readyz")).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(6)).await;
            return Ok(std::fs::read_to_string(format!("/proc/{pid}/status"))?);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the server did not become ready".into())
}
