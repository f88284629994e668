use async_trait::async_trait;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};

/// Given by `storage`: how many bytes a person may keep.
#[async_trait]
pub trait StorageQuota: Send + Sync {
    /// Sets the limit. Below what is in use, nothing is lost: uploads are refused until there is
    /// room again.
    async fn set_limit(&self, tx: &mut Tx, user: UserId, bytes: i64) -> Result<(), DbError>;
}
