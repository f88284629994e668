//! The devices that somebody is signed in on, and proving once more who one is.

mod device;
mod notice;
mod reauthentication;
mod service;

pub use service::{Session, SessionScope, Sessions};
