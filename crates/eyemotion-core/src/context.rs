use crate::{ApiKeyId, SessionId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use uuid::Uuid;

/// A person's standing on the platform, `user_profiles.role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    /// A filmmaker.
    User,
    /// Runs the platform: sees people, grants credits, reads the audit log.
    Admin,
    /// May also change roles and initialise the platform.
    SuperAdmin,
}

impl UserRole {
    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }

    /// Whether the role may act on other people's data.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Admin | Self::SuperAdmin)
    }
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UserRole {
    type Err = UnknownRole;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "user" => Ok(Self::User),
            "admin" => Ok(Self::Admin),
            "super_admin" => Ok(Self::SuperAdmin),
            other => Err(UnknownRole(other.to_owned())),
        }
    }
}

/// A role name that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("unknown role {0:?}")]
pub struct UnknownRole(String);

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has signed in.
    Anonymous,
    /// A signed-in person.
    User {
        /// The person.
        id: UserId,
        /// The session that the access token belongs to.
        session: SessionId,
        /// The role at the time the token was issued.
        role: UserRole,
    },
    /// A program with an API key. What it may do is checked by its scopes where the request comes
    /// in; to the database it is nobody, so that a use case must lend it the platform's rights.
    ApiKey {
        /// The key, not its secret.
        id: ApiKeyId,
    },
    /// The platform itself; the name says which part, for logs and audit.
    System(&'static str),
}

/// The client's `Idempotency-Key` together with what it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// 1 to 255 characters, chosen by the client.
    pub key: String,
    /// SHA-256 of the request's body: another body under the same key is a client's mistake.
    pub request_hash: [u8; 32],
}

/// The caller's context: the first argument of every service method and the only way to a
/// transaction. No context, no query.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// The request's id, in logs, audit rows and answers alike.
    pub request_id: String,
    /// The client's address; proxies' words are believed only from trusted peers.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header, cut to 512 characters.
    pub user_agent: Option<String>,
    /// The `Idempotency-Key` header with the body's hash.
    pub idempotency: Option<IdempotencyKey>,
    /// The actor is who the access token names, and nobody has looked yet whether the session still
    /// lives: the database does, as of this time and together with what is read. Nothing can be
    /// written so.
    pub unproven_at: Option<DateTime<Utc>>,
}

impl Ctx {
    /// The context of the platform acting on its own, `part` saying which piece of it.
    pub fn system(part: &'static str) -> Self {
        Self {
            actor: Actor::System(part),
            request_id: Uuid::now_v7().to_string(),
            ip: None,
            user_agent: None,
            idempotency: None,
            unproven_at: None,
        }
    }

    /// The same request, acted on by somebody else: a sign-in that has just succeeded, say.
    #[must_use]
    pub fn with_actor(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
        }
    }

    /// The signed-in person, if there is one.
    pub const fn user_id(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { id, .. } => Some(id),
            Actor::Anonymous | Actor::ApiKey { .. } | Actor::System(_) => None,
        }
    }
}
