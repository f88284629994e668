//! What must hold for every operation of the published document. A new route is swept by itself;
//! where a sweep needs to know something of it, the sweep says so.

mod inputs;
mod methods;
mod samples;
mod strangers;
mod tokens;

pub(crate) use samples::{sample, url};
pub(crate) use strangers::state;
use uuid::Uuid;

/// An id that nothing has.
pub(crate) fn unknown_id() -> String {
    Uuid::now_v7().to_string()
}
