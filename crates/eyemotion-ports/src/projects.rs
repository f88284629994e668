use async_trait::async_trait;
use eyemotion_core::{Ctx, ProjectId};
use eyemotion_db::{DbError, Tx};

/// Given by `projects`: what others may know of a project.
#[async_trait]
pub trait ProjectDirectory: Send + Sync {
    /// Whether the caller has such a project. It cannot be deleted until `tx` ends.
    async fn hold(&self, tx: &mut Tx, ctx: &Ctx, project: ProjectId) -> Result<bool, DbError>;
}

/// Given by `storage`: what a project holds.
#[async_trait]
pub trait ProjectContents: Send + Sync {
    /// Gives up every file of a project that is being deleted: quota now, bytes by a job later.
    async fn discard(&self, tx: &mut Tx, ctx: &Ctx, project: ProjectId) -> Result<(), DbError>;
}
