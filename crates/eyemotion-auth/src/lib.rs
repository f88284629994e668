//! People, and how they prove who they are.
//!
//! * [`Accounts`] is the service: register, sign in, refresh, sign out, profile.
//! * [`AccountService`] implements it over PostgreSQL; [`AuthDependencies`] is what it needs.
//! * [`Federation`] is sign-in through Google and GitHub; [`FederationService`] implements it.
//! * [`Import`] brings people over from another platform, with their passwords; [`SupabaseSource`]
//!   finds them in a database like Supabase's.
//! * [`Keys`] holds the signing key and the master secret from which other keys are derived.
//! * [`Sessions`] is where people are signed in: listed, ended, proved anew. [`Throttling`] says who
//!   is held back after wrong passwords.
//! * [`TokenError`] says why an access token is refused; checking one needs no database.

mod access_token;
mod account;
mod admin;
mod api_keys;
mod config;
mod error;
mod federation;
mod fields;
mod gate;
mod hash_pool;
mod hot_reads;
mod import;
mod key_file;
mod keys;
mod lifecycle;
mod model;
mod password;
mod password_check;
mod password_policy;
mod people;
mod privacy;
mod profile;
mod recovery;
mod refresh_token;
mod registration;
mod repository;
mod schema;
mod service;
mod session;
mod sessions;
mod stored_hash;
mod throttle;

pub use account::{AccountService, AuthDependencies};
pub use api_keys::{
    ApiKey, ApiKeyError, ApiKeyKeeper, ApiKeys, CreatedApiKey, KeyHolder, NewApiKey, Permission,
    RESTRICTED_NAMESPACE, Scope, Scopes, UnknownScope, is_api_key,
};
pub use config::AuthConfig;
pub use error::{AuthError, TokenError};
pub use federation::{
    FLOW_LIFE, Federated, Federation, FederationConfig, FederationError, FederationService,
    FlowFinish, FlowKeeper, FlowReturn, FlowStart, FlowStarted, ForgetOauthFlows, GithubConfig,
    Identity, InvalidProvider, OidcConfig, Provider, Returned, UnknownProvider,
};
pub use gate::SessionGate;
pub use import::{
    Arrival, Found, Import, ImportReport, Newcomer, NewcomerIdentity, NewcomerProfile, Noted,
    Refusal, SourceError, SupabaseSource,
};
pub use keys::{Keys, KeysError};
pub use lifecycle::AccountsOfPeople;
pub use model::{AccountOverview, Plan, Profile, Subscription};
pub use people::{
    AccountStatus, Ban, NewBan, Part, People, PeopleFilter, PeopleList, Person, PersonDetail,
};
pub use privacy::{
    AccountEraser, EraseAccounts, Export, HonourTombstones, Privacy, ScheduledDeletion,
    TombstoneKeeper,
};
pub use recovery::{Links, MailedProof, Proof, Recovery, SendTokenMail, TokenMailer};
pub use service::{Accounts, NewUser, ProfileUpdate, Registered, SessionTokens, SignedIn};
pub use sessions::{Session, SessionScope, Sessions};
pub use stored_hash::UnusableHash;
pub use throttle::Throttling;
