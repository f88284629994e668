//! Somebody who was deleted and is there again: an older backup was restored.

use crate::repository::deletions;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::Db;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};

/// Schedules, for at once, the deletion of everybody who has a tombstone.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct HonourTombstones {}

impl Job for HonourTombstones {
    const KIND: &'static str = "auth.honour_tombstones";
}

/// Does [`HonourTombstones`], which wants to run daily and after a backup was restored.
pub struct TombstoneKeeper {
    db: Db,
}

impl TombstoneKeeper {
    /// Keeps the tombstones in `db`.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Handler<HonourTombstones> for TombstoneKeeper {
    async fn run(&self, _: HonourTombstones, _: &Attempt) -> Result<(), JobError> {
        let mut tx = self.db.begin(&Ctx::system("auth")).await?;
        let risen = deletions::bury_again(&mut tx).await?;
        tx.commit().await?;
        if risen > 0 {
            tracing::warn!(risen, "deleted people were there again and will be deleted");
        }
        Ok(())
    }
}
