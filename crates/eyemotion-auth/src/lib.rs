//! People, and how they prove who they are.
//!
//! * [`Accounts`] is the service: register, sign in, refresh, sign out, profile.
//! * [`AccountService`] implements it over PostgreSQL; [`AuthDependencies`] is what it needs.
//! * [`Keys`] holds the signing key and the master secret from which other keys are derived.
//! * [`TokenError`] says why an access token is refused; checking one needs no database.

mod access_token;
mod account;
mod admin;
mod config;
mod error;
mod fields;
mod key_file;
mod keys;
mod model;
mod password;
mod people;
mod password_check;
mod profile;
mod refresh_token;
mod registration;
mod repository;
mod schema;
mod service;
mod session;
mod sessions;
mod throttle;

pub use account::{AccountService, AuthDependencies};
pub use config::AuthConfig;
pub use error::{AuthError, TokenError};
pub use keys::{Keys, KeysError};
pub use model::{AccountOverview, Plan, Profile, Subscription};
pub use people::{
    AccountStatus, Ban, NewBan, Part, People, PeopleFilter, PeopleList, Person, PersonDetail,
};
pub use sessions::{Session, SessionScope, Sessions};
pub use throttle::Throttling;
pub use service::{Accounts, NewUser, ProfileUpdate, Registered, SessionTokens, SignedIn};
