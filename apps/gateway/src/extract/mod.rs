//! What handlers take from a request.

mod admin;
mod caller;
mod conditional;
mod device;
mod json;
mod limited;
mod origin;
mod parameters;

pub use admin::{AdminCaller, SuperAdminCaller};
pub use caller::{Caller, Guest, IdempotencyHeader};
pub use conditional::{IfMatch, etag};
pub use device::{Device, Leaver};
pub use json::ValidJson;
pub use limited::{By, Limited, Mail, Refresh, Register, SignIn};
pub use origin::Origin;
pub use parameters::{Id, PageQuery, ValidQuery};
