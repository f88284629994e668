use crate::ledger::Ledger;
use crate::repository::holds;
use eyemotion_core::{Clock, Ctx, UserId};
use eyemotion_db::{Db, DbError};
use eyemotion_ports::LedgerError;
use std::sync::Arc;
use uuid::Uuid;

/// How many people are looked up at once.
const BATCH: i64 = 500;

/// Gives back what holds keep whose time is over: whoever placed them has died, or forgot them.
pub struct OverdueHolds {
    db: Db,
    clock: Arc<dyn Clock>,
    ledger: Ledger,
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Holds that were ended.
    pub expired: usize,
    /// People whose holds could not be; each is in the log, and due again in the next round.
    pub failed: usize,
}

impl OverdueHolds {
    /// Puts it together.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        let ledger = Ledger::new(Arc::clone(&clock));
        Self { db, clock, ledger }
    }

    /// Ends all that are overdue, each person's in a transaction of its own. Safe to run at any
    /// time, in any number of processes.
    ///
    /// # Errors
    /// Only if the list of them cannot be read.
    pub async fn expire(&self, ctx: &Ctx) -> Result<Expired, DbError> {
        let mut total = Expired::default();
        let mut after = Uuid::nil();
        loop {
            let now = self.clock.now();
            let mut tx = self.db.read(ctx).await?;
            let people = holds::people_with_overdue(&mut tx, now, after, BATCH).await?;
            // The connection goes back: each person takes one.
            drop(tx);
            let Some(last) = people.last() else {
                return Ok(total);
            };
            after = last.0;
            for user in people {
                match self.expire_of(ctx, user).await {
                    Ok(expired) => total.expired += expired,
                    Err(error) => {
                        total.failed += 1;
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(%user, error, "cannot end overdue holds");
                    }
                }
            }
        }
    }

    async fn expire_of(&self, ctx: &Ctx, user: UserId) -> Result<usize, LedgerError> {
        let mut tx = self.db.begin(ctx).await?;
        let expired = self.ledger.end_overdue_holds(&mut tx, ctx, user).await?;
        tx.commit().await?;
        Ok(expired)
    }
}
