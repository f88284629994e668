//! The fake, as a client sees it. What the official SDKs see is in the workspace's `tests/stripe/`.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose stage cannot be set has failed"
)]

mod catalog;
mod checkout;
mod clock;
mod disputes;
mod emitter;
mod events;
mod faults;
mod idempotency;
mod proration;
mod schedules;
mod stage;
