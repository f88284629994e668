//! A stateful double of Stripe's API (2026-09-30.endive) for tests; never part of the product.
//!
//! [`StripeFake::start`] gives a server on 127.0.0.1 that speaks what the platform uses of Stripe:
//! the catalogue, Checkout, subscriptions with prorations and schedules, invoices, payments, refunds,
//! disputes and events. Its clock moves by [`StripeFake::advance`], its faults by
//! [`StripeFake::fault`], and its webhooks go out through an [`Emitter`] that may drop, repeat,
//! shuffle, delay and mis-sign them. The official SDKs drive it in `tests/stripe/`.

#![recursion_limit = "512"]
#![expect(
    clippy::expect_used,
    reason = "a test whose stage cannot be set has failed"
)]

mod calendar;
mod card;
mod controls;
mod document;
mod emitter;
mod error;
mod expand;
mod fake;
mod fault;
mod list;
mod params;
mod resources;
mod server;
mod signature;
mod state;
mod world;

pub use card::Card;
pub use emitter::{Deliveries, Delivery, Emitter, Policy, Report};
pub use fake::{Refused, StripeFake};
pub use fault::{Fault, FaultKind};
pub use signature::{signature_header, signature_header_of};
pub use state::{API_VERSION, AfterRetries, Settings};
pub use world::Request;
