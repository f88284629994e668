//! The vocabulary of EyeMotion: what every crate may name and none of it does I/O.
//!
//! * [`Ctx`] — who calls, from where: the first argument of every service method.
//! * [`Clock`] — time and ids are given, so that tests move them.
//! * [`ErrorCode`] and [`Coded`] — one table of stable codes; each domain error names its own.
//! * [`Ratio`] — exact fractions, of which rates and sums are made.
//! * [`Page`], [`Cursor`] — keyset pagination.

mod amounts;
mod clock;
mod context;
mod error;
mod ids;
mod page;
mod ratio;
mod text;

pub use amounts::{Credits, Money};
pub use clock::{Clock, ManualClock, SystemClock};
pub use context::{Actor, Ctx, IdempotencyKey, UserRole};
pub use error::{Coded, ErrorCode, ErrorKind, FieldError};
pub use ids::{ApiKeyId, FileId, ProjectId, SessionId, UserId};
pub use page::{Cursor, CursorError, Page, PageRequest};
pub use ratio::Ratio;
pub use text::{EmailAddress, InvalidEmail};
