use crate::repository::quotas;
use async_trait::async_trait;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::StorageQuota;

/// [`StorageQuota`]. It needs nothing but the caller's transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas;

#[async_trait]
impl StorageQuota for Quotas {
    async fn set_limit(&self, tx: &mut Tx, user: UserId, bytes: i64) -> Result<(), DbError> {
        quotas::set_limit(tx, user, bytes).await
    }
}
