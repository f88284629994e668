//! Deaths on demand, for the crash tests.

use crate::output;
use fail::FailScenario;
use rustix::process::{Signal, getpid, kill_process};

/// Where fail points are compiled in and `FAILPOINTS` names some
/// (`storage.upload.mid_write=panic`), a panic ends the process as kill -9 does: nothing is
/// unwound, nothing is tidied up. Anywhere else this does nothing.
pub fn arm() -> Option<FailScenario<'static>> {
    if !fail::has_failpoints() || std::env::var_os("FAILPOINTS").is_none() {
        return None;
    }
    std::panic::set_hook(Box::new(|panic| {
        output::complain(&panic.to_string());
        // Nobody is left to hear that this did not work.
        let _ = kill_process(getpid(), Signal::KILL);
    }));
    Some(FailScenario::setup())
}
