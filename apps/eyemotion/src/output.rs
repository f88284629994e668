//! Standard output is data, standard error is for people.

use crate::Failure;
use crate::cli::Cli;
use clap::CommandFactory;
use std::io::{ErrorKind, Write};

/// Prints data. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(error)),
        _ => Ok(()),
    }
}

/// Tells a person what went wrong.
pub fn complain(message: &str) {
    // Nothing is left to be done if even this cannot be written.
    let _ = writeln!(std::io::stderr().lock(), "eyemotion: {message}");
}

/// Prints the completion script.
pub fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "eyemotion", &mut script);
    print(&String::from_utf8_lossy(&script))
}
