use crate::wire::Timestamp;
use eyemotion_auth::ScheduledDeletion;
use serde::Serialize;
use utoipa::ToSchema;

/// An account that is going to be deleted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletionView {
    /// Since when.
    requested_at: Timestamp,
    /// Until then it can be undone.
    due_at: Timestamp,
}

impl From<ScheduledDeletion> for DeletionView {
    fn from(deletion: ScheduledDeletion) -> Self {
        Self {
            requested_at: deletion.requested_at.into(),
            due_at: deletion.due_at.into(),
        }
    }
}
