use crate::Result;
use crate::http::{self, Request};
use crate::server::Server;
use crate::statements::Statements;
use argon2::{Algorithm, Argon2, Params, Version};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a route is measured against.
pub enum Floor {
    /// pgbench with the route's own SQL.
    Pgbench {
        /// The program.
        program: PathBuf,
        /// Its arguments but the time.
        arguments: Vec<String>,
        /// The database role.
        role: String,
    },
    /// Argon2id with the server's parameters, a thread for each core.
    Argon2,
    /// Another request, or the same one to a process that asks the database each time.
    Request {
        /// What it is called in the table.
        name: &'static str,
        /// To that process.
        request: Request,
        /// Where it listens.
        port: u16,
        /// As many as for the route.
        clients: usize,
    },
}

impl Floor {
    /// Writes the script: one pipeline, prepared.
    pub fn pgbench(server: &Server, statements: &Statements, clients: usize) -> Result<Self> {
        let script = server.directory().join("floor.sql");
        let lines = statements.sql.join(";\n");
        std::fs::write(
            &script,
            format!("\\startpipeline\n{lines};\n\\endpipeline\n"),
        )?;
        let arguments = [
            "--no-vacuum".to_owned(),
            "--protocol=prepared".to_owned(),
            format!("--client={clients}"),
            "--jobs=2".to_owned(),
            format!("--host={}", server.socket_dir().display()),
            "--username=eyemotion".to_owned(),
            format!("--file={}", script.display()),
            "eyemotion".to_owned(),
        ];
        Ok(Self::Pgbench {
            program: server.pgbench(),
            arguments: arguments.into(),
            role: statements.role.clone(),
        })
    }

    /// What it is, for the table.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pgbench { .. } => "pgbench",
            Self::Argon2 => "bare Argon2id",
            Self::Request { name, .. } => name,
        }
    }

    /// Runs it; operations a second.
    pub async fn measure(&self, time: Duration) -> Result<f64> {
        match self {
            Self::Pgbench {
                program,
                arguments,
                role,
            } => {
                let output = Command::new(program)
                    .arg(format!("--time={}", time.as_secs().max(1)))
                    .args(arguments)
                    .env("PGOPTIONS", format!("-c role={role} -c timezone=UTC"))
                    .output()?;
                per_second(&output)
            }
            Self::Argon2 => tokio::task::spawn_blocking(move || argon2(time)).await?,
            Self::Request {
                request,
                port,
                clients,
                ..
            } => {
                let requests = std::slice::from_ref(request);
                let load = http::load(*port, requests, *clients, time).await?;
                Ok(load.per_second)
            }
        }
    }
}

/// What pgbench has printed.
pub fn per_second(output: &Output) -> Result<f64> {
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split(' ').next());
    let failed = || format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
    Ok(tps.ok_or_else(failed)?.parse()?)
}

fn argon2(time: Duration) -> Result<f64> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| error.to_string())?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let count = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut out = [0; 32];
                while started.elapsed() < time {
                    if hasher
                        .hash_password_into(
                            b"a long enough password",
                            b"some salt here..",
                            &mut out,
                        )
                        .is_ok()
                    {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes fits a f64")]
    Ok(count.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
