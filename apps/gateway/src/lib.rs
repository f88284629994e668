//! EyeMotion's HTTP edge. Thin: a handler extracts, calls one service method, converts, responds.
//!
//! * [`routes`] — one file for each operation.
//! * [`edge`] — request ids, logs, the one shape of errors, the prefixes of existing clients.
//! * [`openapi`] — the published document, made from the routes.
//! * [`config`] — settings from defaults, file, environment and flags.

mod analytics;
mod app;
mod compose;
pub mod config;
pub mod edge;
mod extract;
mod failures;
mod fallback;
mod feature_gate;
mod federation;
mod kv;
mod mail;
mod names;
pub mod openapi;
mod payments;
mod privacy;
mod problem;
mod rate_limit;
pub mod routes;
mod services;
mod sse;
mod wire;

pub use analytics::analytics;
pub use app::serve;
pub use compose::{ComposeError, Gateway, accounts};
pub use kv::{Programs, kv};
pub use payments::{catalogue, webhooks};
pub use problem::{ApiError, Problem};
pub use rate_limit::RateLimits;
pub use services::{Limits, Services, TrustedProxies};
