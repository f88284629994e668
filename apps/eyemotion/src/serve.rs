use crate::Failure;
use crate::database::Database;
use eyemotion_db::local::LocalPostgres;
use gateway::config::Settings;
use gateway::{Gateway, serve};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs the server until it is told to stop, then lets running requests and jobs end.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    let started = Instant::now();
    let mut stop = StopSignals::new()?;
    // The port first: one that is taken should not cost the start of a database.
    let address = (settings.server.host, settings.server.port);
    let listener = TcpListener::bind(address).map_err(|error| {
        Failure::new(format!(
            "cannot listen on {}:{}: {error}",
            address.0, address.1
        ))
    })?;
    let address = listener.local_addr().map_err(Failure::new)?;

    let database = Database::open(&settings).await?;
    if settings.database.migrate {
        for name in eyemotion_db::migrate(&database.config)
            .await
            .map_err(Failure::new)?
        {
            tracing::info!(name, "migrated");
        }
    }
    let gateway = Gateway::compose(&settings, &database.config).map_err(Failure::new)?;
    let server = serve(gateway.services(), &settings.server, listener).map_err(Failure::new)?;
    let handle = server.handle();
    let mut running = tokio::spawn(server);
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        elapsed_ms,
        "EyeMotion {} is ready on http://{address} (API description at /docs)",
        env!("CARGO_PKG_VERSION"),
    );

    let outcome = tokio::select! {
        name = stop.heard() => {
            tracing::info!(signal = name, "stopping: running requests may end");
            Ok(())
        }
        ended = &mut running => Err(Failure::new(match ended {
            Ok(Ok(())) => "the server ended by itself".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        })),
        () = database_ended(database.local.as_ref()) => {
            Err(Failure::new("the local PostgreSQL has ended; its log is in the data folder"))
        }
    };
    let drain = Duration::from_secs(settings.server.drain_secs);
    gateway.refuse_new_work();
    let drained = async {
        handle.stop(true).await;
        gateway.drain(drain).await;
    };
    tokio::select! {
        () = drained => {}
        name = stop.heard() => tracing::warn!(signal = name, "stopping at once"),
    }
    database.close().await?;
    tracing::info!("stopped");
    outcome
}

/// Ends when our own database does; never if it is somebody else's.
async fn database_ended(local: Option<&LocalPostgres>) {
    match local {
        Some(local) => {
            local.exited().await;
        }
        None => std::future::pending().await,
    }
}

/// SIGTERM and SIGINT.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Failure::new)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Failure::new)?,
        })
    }

    async fn heard(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
