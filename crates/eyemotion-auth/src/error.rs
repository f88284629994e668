use crate::people::FOR_GOOD;
use chrono::{DateTime, TimeDelta, Utc};
use eyemotion_core::{Coded, ErrorCode, FieldError};
use eyemotion_db::DbError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why the account service refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Values that cannot be taken, each with its place.
    #[error("some values are not valid")]
    Invalid(Vec<FieldError>),
    /// Another account has the address.
    #[error("an account with this e-mail address exists; sign in instead")]
    EmailTaken,
    /// Nobody has this address and password.
    #[error("e-mail or password is wrong")]
    InvalidCredentials,
    /// Not a link or code of ours for this, used already, expired, or guessed at too often.
    #[error("the link or the code is not valid or has expired; ask for another one")]
    ProofInvalid,
    /// One of the passwords that everybody tries first, or the person's own name or address.
    #[error("this password is too easily guessed; choose another one")]
    PasswordTooCommon {
        /// Where it stands in the body.
        pointer: &'static str,
    },
    /// The right password, and an address that is still to be confirmed.
    #[error("confirm the e-mail address first: a message was sent to it")]
    EmailNotConfirmed,
    /// The right password, and an account that an operator has banned.
    #[error("this account is banned{}", ban_end(.0))]
    Banned(DateTime<Utc>),
    /// Not one of ours, used already, or of a session that has ended.
    #[error("the refresh token is not valid; sign in again")]
    RefreshTokenInvalid,
    /// The access token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The session was ended or ran out.
    #[error("the session has ended; sign in again")]
    SessionEnded,
    /// The caller has no such session.
    #[error("there is no such session")]
    SessionNotFound,
    /// The person last proved who they are too long ago for this.
    #[error("this needs a fresh proof of who you are: give the password again")]
    ReauthenticationNeeded {
        /// How old the proof may be.
        max_age: TimeDelta,
    },
    /// Tried too often; `limiter` names the rule.
    #[error("too many attempts; try again later")]
    Throttled {
        /// `sign_in_account`, `mail` ...
        limiter: String,
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// The method needs somebody who has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The method is the platform's.
    #[error("this is not allowed")]
    Forbidden,
    /// The person stands as high as the caller, or higher.
    #[error("only a super_admin may do this to an admin")]
    OutOfReach,
    /// Somebody else must do this.
    #[error("nobody does this to their own account; ask another admin")]
    OwnAccount,
    /// Nobody would be left who can give roles.
    #[error("this is the last super_admin; make another one first")]
    LastSuperAdmin,
    /// There is nobody with this id.
    #[error("there is no such user")]
    NoSuchUser,
    /// Nobody has this address.
    #[error("there is no account with this e-mail address")]
    NotFound,
    /// The profile was changed since the version that the change was made from.
    #[error("the profile has been changed in the meantime; it is now at version {current}")]
    VersionMismatch {
        /// The version that is stored.
        current: i64,
    },
    /// Too many passwords wait to be checked.
    #[error("too many sign-ins at once; try again in a moment")]
    Overloaded {
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// The person has asked for the end of the account and can only undo that.
    #[error("this account will be deleted on {}; undo that to go on using it", .0.format("%Y-%m-%d %H:%M UTC"))]
    Leaving(DateTime<Utc>),
    /// No deletion waits: none was asked for, or it has begun.
    #[error("there is no deletion to undo")]
    NoDeletion,
    /// An archive could not be written.
    #[error("the archive could not be written: {0}")]
    Archive(String),
    /// A key, a hash or the random source failed.
    #[error("a cryptographic operation failed: {0}")]
    Crypto(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

fn ban_end(until: &DateTime<Utc>) -> String {
    if *until < FOR_GOOD {
        format!(" until {}", until.format("%Y-%m-%d %H:%M UTC"))
    } else {
        String::new()
    }
}

impl Coded for AuthError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::EmailTaken => ErrorCode::EmailTaken,
            Self::InvalidCredentials => ErrorCode::InvalidCredentials,
            Self::ProofInvalid => ErrorCode::OneTimeTokenInvalid,
            Self::PasswordTooCommon { .. } => ErrorCode::PasswordTooCommon,
            Self::EmailNotConfirmed => ErrorCode::EmailNotConfirmed,
            Self::Banned(_) => ErrorCode::AccountBanned,
            Self::RefreshTokenInvalid => ErrorCode::RefreshTokenInvalid,
            Self::Token(error) => error.code(),
            Self::SessionEnded => ErrorCode::SessionEnded,
            Self::SessionNotFound => ErrorCode::SessionNotFound,
            Self::ReauthenticationNeeded { .. } => ErrorCode::ReauthenticationNeeded,
            Self::Throttled { .. } => ErrorCode::RateLimited,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::Forbidden | Self::OutOfReach => ErrorCode::Forbidden,
            Self::OwnAccount => ErrorCode::OwnAccount,
            Self::LastSuperAdmin => ErrorCode::LastSuperAdmin,
            Self::NoSuchUser => ErrorCode::UserNotFound,
            Self::NotFound => ErrorCode::NotFound,
            Self::VersionMismatch { .. } => ErrorCode::VersionMismatch,
            Self::Overloaded { .. } => ErrorCode::Overloaded,
            Self::Leaving(_) => ErrorCode::AccountDeletionScheduled,
            Self::NoDeletion => ErrorCode::DeletionNotFound,
            Self::Crypto(_) | Self::Archive(_) => ErrorCode::Internal,
            Self::Db(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            Self::PasswordTooCommon { pointer } => {
                vec![FieldError::new(*pointer, "too_common", self.to_string())]
            }
            _ => Vec::new(),
        }
    }

    fn members(&self) -> Map<String, Value> {
        match self {
            Self::Leaving(due_at) => Map::from_iter([("dueAt".to_owned(), json!(due_at))]),
            Self::Banned(until) => {
                let until = Some(until).filter(|until| **until < FOR_GOOD);
                Map::from_iter([("bannedUntil".to_owned(), json!(until))])
            }
            Self::VersionMismatch { current } => {
                Map::from_iter([("currentVersion".to_owned(), json!(current))])
            }
            Self::ReauthenticationNeeded { max_age } => {
                Map::from_iter([("maxAge".to_owned(), json!(max_age.num_seconds()))])
            }
            Self::Throttled { limiter, .. } => {
                Map::from_iter([("limiter".to_owned(), json!(limiter))])
            }
            _ => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after } | Self::Throttled { retry_after, .. } => {
                Some(*retry_after)
            }
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// Why an access token is refused. The answer tells expired from everything else, no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the access token has expired; refresh it")]
    Expired,
    /// Not one of ours.
    #[error("the access token is not valid")]
    Invalid,
}

impl Coded for TokenError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Expired => ErrorCode::TokenExpired,
            Self::Invalid => ErrorCode::TokenInvalid,
        }
    }
}
