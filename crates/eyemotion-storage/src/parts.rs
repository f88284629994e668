use crate::blob::BlobStore;
use crate::config::StorageConfig;
use crate::error::StorageError;
use crate::signature::UrlSigner;
use eyemotion_core::{Actor, Clock, Ctx, UserId};
use eyemotion_db::{Db, Notifications};
use eyemotion_ports::{ActivityLog, CreditLedger, ProjectDirectory};
use std::sync::Arc;

/// What storage is put together from.
pub struct StorageParts {
    /// The database.
    pub db: Db,
    /// Time and ids.
    pub clock: Arc<dyn Clock>,
    /// Where bytes lie.
    pub blobs: Arc<dyn BlobStore>,
    /// Whose projects are whose.
    pub projects: Arc<dyn ProjectDirectory>,
    /// What uploads are paid with.
    pub credits: Arc<dyn CreditLedger>,
    /// The audit log.
    pub activity: Arc<dyn ActivityLog>,
    /// Signs upload and download URLs.
    pub signer: UrlSigner,
    /// `LISTEN` on channel `files`, for those who watch a file.
    pub notifications: Arc<Notifications>,
    /// Limits and times, already validated.
    pub config: StorageConfig,
}

/// The signed-in person. A transaction for nobody would be the system's own, so this is asked
/// before one is begun.
pub(crate) fn caller(ctx: &Ctx) -> Result<UserId, StorageError> {
    ctx.user_id().ok_or(StorageError::Unauthenticated)
}

/// Whoever may read files at all.
pub(crate) fn reader(ctx: &Ctx) -> Result<(), StorageError> {
    if ctx.actor == Actor::Anonymous {
        Err(StorageError::Unauthenticated)
    } else {
        Ok(())
    }
}

/// The platform, in the same request.
pub(crate) fn system(ctx: &Ctx) -> Ctx {
    ctx.with_actor(Actor::System("storage"))
}
