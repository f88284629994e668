use crate::Failure;
use gateway::config::{LogFormat, LogSettings};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Where log lines go: a server's to standard output, a command's to standard error, because its
/// standard output is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// For `serve`.
    Stdout,
    /// For everything else.
    Stderr,
}

/// Starts logging: pretty on a terminal, one JSON object a line otherwise.
pub fn start(settings: &LogSettings, target: Target) -> Result<(), Failure> {
    let mut filter = EnvFilter::try_new(&settings.filter)
        .map_err(|error| Failure::config(format!("log.filter: {error}")))?;
    for quiet in ["tokio_postgres=info", "actix_server=warn"] {
        // The driver's debug lines hold query parameters: addresses, password hashes.
        filter = filter.add_directive(quiet.parse().map_err(Failure::new)?);
    }
    let (terminal, writer) = match target {
        Target::Stdout => (
            std::io::stdout().is_terminal(),
            BoxMakeWriter::new(std::io::stdout),
        ),
        Target::Stderr => (
            std::io::stderr().is_terminal(),
            BoxMakeWriter::new(std::io::stderr),
        ),
    };
    let pretty = match settings.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    if pretty {
        builder.with_ansi(terminal).with_target(false).init();
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .init();
    }
    Ok(())
}
