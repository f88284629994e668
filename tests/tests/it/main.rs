//! Rules about the whole workspace, checked as tests.

#![expect(
    clippy::unwrap_used,
    reason = "a test's functions fail by panicking, as the test does"
)]

mod architecture;
mod licences;
mod workspace;
