use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// A terminal is rewritten often, a log gets a line now and then.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(10);

/// How far a long work has come, on standard error.
pub(super) struct Progress {
    total: u64,
    on_terminal: bool,
    shown: Instant,
    begun: bool,
}

impl Progress {
    pub(super) fn new(total: u64) -> Self {
        Self {
            total,
            on_terminal: stderr().is_terminal(),
            shown: Instant::now(),
            begun: false,
        }
    }

    pub(super) fn show(&mut self, done: u64) {
        let pause = if self.on_terminal {
            ON_TERMINAL
        } else {
            IN_LOG
        };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        self.begun = true;
        let (before, after) = if self.on_terminal {
            ("\r", "")
        } else {
            ("", "\n")
        };
        // Nobody misses it if it cannot be written.
        let mut stream = stderr().lock();
        let _ = write!(
            stream,
            "{before}eyemotion: {done} of {} people{after}",
            self.total
        );
        let _ = stream.flush();
    }

    /// What is said next begins a line.
    pub(super) fn end(&self) {
        if self.on_terminal && self.begun {
            let _ = writeln!(stderr().lock());
        }
    }
}
