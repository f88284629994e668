//! Mail on a real database, to a real SMTP server in this process.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod delivery;
mod folder;
mod outbox;
mod probe;
mod relay;
mod texts;
mod world;
