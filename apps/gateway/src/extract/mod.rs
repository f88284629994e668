//! What handlers take from a request.

mod admin;
mod caller;
mod conditional;
mod departing;
mod device;
mod json;
mod limited;
mod origin;
mod parameters;
mod raw_body;
mod reader;
mod service_caller;

pub use admin::{AdminCaller, SuperAdminCaller};
pub use caller::{Caller, Guest, IdempotencyHeader};
pub(crate) use caller::{present_caller, services};
pub use conditional::{IfMatch, etag};
pub use departing::Departing;
pub use device::{Device, SignOutCaller};
pub use json::ValidJson;
pub use limited::{Limited, Mail, Refresh, Register, SignIn};
pub use origin::Origin;
pub use parameters::{Id, PageQuery, ValidQuery};
pub use raw_body::RawBody;
pub use reader::Reader;
pub use service_caller::ServiceCaller;
