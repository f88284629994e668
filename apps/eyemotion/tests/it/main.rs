//! The real binary, as a person or a service manager runs it.
//!
//! The tests stand here and not in `tests/` because only a package's own tests are told by cargo
//! where its binary is, freshly built. It is built with fail points, which this package's tests
//! ask for and no release does.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's functions fail by panicking, as the test does"
)]

mod clip;
mod crash;
mod import;
mod kv;
mod memory;
mod openapi;
mod person;
mod processes;
mod server;
mod start;
mod stop;
mod tour;
