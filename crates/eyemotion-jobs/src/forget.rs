use crate::repository::leavers;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};

/// Deletes every job that waits or was given up and is for the person, or names the person or the
/// address. Returns how many of these are running and so have to end first.
///
/// Whatever such a job was to do for the person must be done, or of no use any more.
pub async fn forget(tx: &mut Tx, person: UserId, address: &str) -> Result<i64, DbError> {
    leavers::delete_idle(tx, person, address).await?;
    leavers::count(tx, person, address).await
}
