//! `eyemotion`: the server and everything that operates it.

mod admin;
mod analytics;
mod billing;
mod cli;
mod database;
mod failpoints;
mod import;
mod kv;
mod logging;
mod output;
mod plans;
mod serve;
mod settings;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

/// Rows and JSON are many small allocations; the system's allocator costs a tenth of a request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let _fail_points = failpoints::arm();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// What ends the process, with its exit code: 1 failed, 65 some of the data was refused, 78 the
/// configuration is not valid (EX_DATAERR and EX_CONFIG of sysexits).
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn new(error: impl std::fmt::Display) -> Self {
        Self {
            message: error.to_string(),
            code: 1,
        }
    }

    fn config(error: impl std::fmt::Display) -> Self {
        Self {
            message: error.to_string(),
            code: 78,
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    // These two need neither configuration nor a database.
    match &cli.command {
        Command::Openapi => return output::print(&gateway::openapi::document_text()),
        Command::Completions { shell } => return output::completions(*shell),
        _ => {}
    }
    let loaded = settings::load(&cli)?;
    match cli.command {
        Command::Config { action } => return settings::show(action, &loaded),
        Command::Serve(_) => logging::start(&loaded.settings.log, logging::Target::Stdout)?,
        _ => logging::start(&loaded.settings.log, logging::Target::Stderr)?,
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(Failure::new)?;
    let settings = loaded.settings;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(_) => Box::pin(serve::run(settings)).await,
            Command::Migrate { action } => database::migrate(&settings, action).await,
            Command::Admin { action } => Box::pin(admin::run(&settings, action)).await,
            Command::Plans { action } => Box::pin(plans::run(&settings, action)).await,
            Command::Kv(args) => Box::pin(kv::run(&settings, args)).await,
            Command::Billing { action } => Box::pin(billing::run(&settings, action)).await,
            Command::Import { source } => Box::pin(import::run(&settings, source)).await,
            Command::Openapi | Command::Completions { .. } | Command::Config { .. } => Ok(()),
        }
    })
}
