use crate::wire::{Success, Timestamp};
use eyemotion_auth::{Session, SessionScope};
use eyemotion_core::Page;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A device that the caller is signed in on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionInfoView {
    id: Uuid,
    /// What it says of itself, in a few words.
    #[schema(example = "Firefox on Windows")]
    device: String,
    /// Its whole `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// The address that it signed in from.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    created_at: Timestamp,
    /// When it last asked for an access token.
    last_seen_at: Timestamp,
    /// When it ends by itself if it is not used.
    expires_at: Timestamp,
    /// When the password was last given on it.
    authenticated_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

impl From<Session> for SessionInfoView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.0,
            device: session.device,
            user_agent: session.user_agent,
            ip: session.ip,
            created_at: session.created_at.into(),
            last_seen_at: session.last_seen_at.into(),
            expires_at: session.expires_at.into(),
            authenticated_at: session.authenticated_at.into(),
            current: session.current,
        }
    }
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionsAnswer {
    success: Success,
    sessions: Vec<SessionInfoView>,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl From<Page<Session>> for SessionsAnswer {
    fn from(page: Page<Session>) -> Self {
        Self {
            success: Success,
            sessions: page.items.into_iter().map(SessionInfoView::from).collect(),
            next_cursor: page.next.map(|cursor| cursor.encode()),
        }
    }
}

/// Which of the caller's sessions are meant: `local` is the one that asks.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::routes) enum ScopeName {
    /// The one that asks.
    Local,
    /// All but the one that asks.
    Others,
    /// All.
    Global,
}

impl From<ScopeName> for SessionScope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Local => Self::Local,
            ScopeName::Others => Self::Others,
            ScopeName::Global => Self::Global,
        }
    }
}
