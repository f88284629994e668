//! The fake, as a client sees it. What the official SDKs see is in the workspace's `tests/stripe/`.

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
