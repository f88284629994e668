use super::Provider;
use crate::error::AuthError;
use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use serde_json::{Map, Value};
use std::time::Duration;

/// Why a sign-in through a provider was refused.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The operator has not registered with the provider.
    #[error("sign-in with {} is not set up on this server", .0.display_name())]
    NotConfigured(Provider),
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// The state names no flow of this browser that is still open.
    #[error(
        "this sign-in was not begun in this browser, has been used or has expired; begin again"
    )]
    FlowInvalid,
    /// The provider did not vouch for anybody.
    #[error("the provider did not confirm the sign-in: {0}")]
    Refused(&'static str),
    /// The provider gave no answer that can be used.
    #[error("{} cannot be reached or gives no usable answer; try again later", .0.display_name())]
    Unavailable(Provider),
    /// The provider does not vouch for the address.
    #[error(
        "the provider has not verified the e-mail address; verify it there, or sign in another way"
    )]
    EmailUnverified,
    /// The account has been deleted.
    #[error("this account has been closed")]
    AccountClosed,
    /// Another account has this identity.
    #[error("this identity belongs to another account")]
    IdentityTaken,
    /// Without it nobody could sign in any more.
    #[error("this is the only way to sign in: set a password or add another identity first")]
    LastSignInMethod,
    /// The caller has no such identity.
    #[error("there is no such identity")]
    NotFound,
    /// What accounts in general refuse.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl From<DbError> for FederationError {
    fn from(error: DbError) -> Self {
        Self::Auth(error.into())
    }
}

impl Coded for FederationError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotConfigured(_) => ErrorCode::OauthNotConfigured,
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::FlowInvalid => ErrorCode::OauthFlowInvalid,
            Self::Refused(_) => ErrorCode::OauthRefused,
            Self::Unavailable(_) => ErrorCode::OauthUnavailable,
            Self::EmailUnverified => ErrorCode::OauthEmailUnverified,
            Self::AccountClosed => ErrorCode::Forbidden,
            Self::IdentityTaken => ErrorCode::IdentityTaken,
            Self::LastSignInMethod => ErrorCode::LastSignInMethod,
            Self::NotFound => ErrorCode::NotFound,
            Self::Auth(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            Self::Auth(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn members(&self) -> Map<String, Value> {
        match self {
            Self::Auth(error) => error.members(),
            _ => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable(_) => Some(Duration::from_secs(30)),
            Self::Auth(error) => error.retry_after(),
            _ => None,
        }
    }
}
