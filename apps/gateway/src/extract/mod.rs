//! What handlers take from a request.

mod admin;
mod caller;
mod conditional;
mod json;
mod origin;
mod parameters;

pub use admin::{AdminCaller, SuperAdminCaller};
pub use caller::{Caller, Guest, IdempotencyHeader};
pub use conditional::{IfMatch, etag};
pub use json::ValidJson;
pub use origin::Origin;
pub use parameters::{Id, PageQuery, ValidQuery};
