use async_trait::async_trait;
use eyemotion_core::{Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;

/// One line of the audit log.
#[derive(Clone, Debug)]
pub struct Activity {
    /// What was done: `project.created`, `file.upload_confirmed` ...
    pub action: &'static str,
    /// To what sort of thing.
    pub resource_type: &'static str,
    /// To which one.
    pub resource_id: Option<String>,
    /// Whose log it belongs to; none: the caller's.
    pub user: Option<UserId>,
    /// Further facts, never secrets. An object.
    pub details: Value,
}

impl Activity {
    /// `action` done to the `resource_type` with this id.
    pub fn new(
        action: &'static str,
        resource_type: &'static str,
        id: impl std::fmt::Display,
    ) -> Self {
        Self {
            action,
            resource_type,
            resource_id: Some(format!("{id}")),
            user: None,
            details: Value::Object(serde_json::Map::new()),
        }
    }

    /// The same, in the log of `user`: a registration is done by nobody yet.
    #[must_use]
    pub fn of(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// The same with further facts.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// The audit log: append-only, written in the transaction of what it tells of.
#[async_trait]
pub trait ActivityLog: Send + Sync {
    /// Adds a line; who, from where and in which request come from `ctx`. It may be sent with the
    /// next query or with COMMIT, which then fail of what it fails of.
    async fn record(&self, tx: &mut Tx, ctx: &Ctx, activity: Activity) -> Result<(), DbError>;
}
