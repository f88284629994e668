use crate::wire::{Success, Timestamp};
use eyemotion_auth::ApiKey;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKeyView {
    id: Uuid,
    /// The admin who made it; it works for as long as that person is one.
    user_id: Uuid,
    name: String,
    /// The first characters of the secret, to know it by.
    prefix: String,
    scopes: Vec<String>,
    /// From then on it does not work; null: no such moment.
    expires_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.0,
            user_id: key.owner.0,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            expires_at: key.expires_at.map(Timestamp),
            last_used_at: key.last_used_at.map(Timestamp),
            revoked_at: key.revoked_at.map(Timestamp),
            created_at: key.created_at.into(),
        }
    }
}

/// One API key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKeyAnswer {
    success: Success,
    message: &'static str,
    api_key: ApiKeyView,
    /// The secret, for `Authorization: Bearer`. It is shown this once: a repeat with the same
    /// `Idempotency-Key` does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 59, max_length = 59)]
    secret: Option<String>,
}

impl ApiKeyAnswer {
    pub(super) fn new(message: &'static str, key: ApiKey, secret: Option<String>) -> Self {
        Self {
            success: Success,
            message,
            api_key: key.into(),
            secret,
        }
    }
}
