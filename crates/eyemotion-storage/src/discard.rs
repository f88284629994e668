use crate::holds;
use crate::jobs::PurgeProject;
use crate::repository::{quotas, stored};
use async_trait::async_trait;
use eyemotion_core::{Clock, Ctx, FileId, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{CreditLedger, ProjectContents};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// [`ProjectContents`]. It needs no project directory, so that whoever gives one can use it.
pub struct ProjectFiles {
    clock: Arc<dyn Clock>,
    credits: Arc<dyn CreditLedger>,
}

impl ProjectFiles {
    /// Puts it together.
    pub fn new(clock: Arc<dyn Clock>, credits: Arc<dyn CreditLedger>) -> Self {
        Self { clock, credits }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}

#[async_trait]
impl ProjectContents for ProjectFiles {
    async fn discard(&self, tx: &mut Tx, ctx: &Ctx, project: ProjectId) -> Result<(), DbError> {
        let buried = stored::entomb_project(tx, project).await?;
        let mut owners: BTreeMap<UserId, (Vec<Uuid>, i64)> = BTreeMap::new();
        for file in buried {
            let (files, used) = owners.entry(file.owner).or_default();
            files.push(file.id);
            *used += file.used;
        }
        for (owner, (files, used)) in owners {
            let ids: Vec<FileId> = files.iter().copied().map(FileId).collect();
            holds::give_back(&*self.credits, tx, ctx, owner, &ids).await?;
            quotas::release_all(tx, owner, &files).await?;
            quotas::doom(tx, owner, crate::repository::bytes(used)).await?;
            PurgeProject::enqueue(tx, &*self.clock, owner, project).await?;
        }
        Ok(())
    }
}
