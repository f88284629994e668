use crate::repository::oauth_flows;
use async_trait::async_trait;
use eyemotion_core::{Clock, Ctx};
use eyemotion_db::Db;
use eyemotion_jobs::{Attempt, Handler, Job, JobError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Forgets flows that nobody came back from.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ForgetOauthFlows {}

impl Job for ForgetOauthFlows {
    const KIND: &'static str = "auth.forget_oauth_flows";
}

/// Does [`ForgetOauthFlows`], which wants to run every few minutes.
pub struct FlowKeeper {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl FlowKeeper {
    /// Keeps the flows in `db` by the time of `clock`.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Handler<ForgetOauthFlows> for FlowKeeper {
    async fn run(&self, _: ForgetOauthFlows, _: &Attempt) -> Result<(), JobError> {
        let mut tx = self.db.begin(&Ctx::system("auth")).await?;
        let forgotten = oauth_flows::sweep(&mut tx, self.clock.now()).await?;
        tx.commit().await?;
        tracing::debug!(forgotten, "OAuth flows swept");
        Ok(())
    }
}
