//! People, and how they prove who they are.
//!
//! * [`Accounts`] is the service: register, sign in, refresh, sign out, profile.

//! * [`TokenError`] says why an access token is refused; checking one needs no database.

mod error;
mod model;
mod service;

pub use error::{AuthError, TokenError};
pub use model::{AccountOverview, Plan, Profile, Subscription};
pub use service::{Accounts, NewUser, ProfileUpdate, Registered, SessionTokens, SignedIn};
