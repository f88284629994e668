use crate::ledger::Ledger;
use crate::period::Period;
use crate::renewal;
use crate::repository::{plans, subscriptions, wallets};
use chrono::SubsecRound;
use eyemotion_core::{Clock, Ctx, UserId};
use eyemotion_db::{Db, DbError, Tx};
use eyemotion_ports::{LedgerError, NewAccount, StorageQuota};
use std::sync::Arc;

/// What everybody starts with.
const FREE_PLAN: &str = "freemium";

/// How many subscriptions are looked up at once for renewal.
const BATCH: i64 = 500;

/// The beginning and the renewal of subscriptions that nobody bills.
pub struct Subscriptions {
    db: Db,
    ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    quota: Arc<dyn StorageQuota>,
}

/// What a round of renewals came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Moved into a new period.
    pub renewed: usize,
    /// Could not be; each is in the log, and due again in the next round.
    pub failed: usize,
}

impl Subscriptions {
    /// Puts it together; `quota` learns how much room a plan gives.
    pub fn new(db: Db, clock: Arc<dyn Clock>, quota: Arc<dyn StorageQuota>) -> Self {
        Self {
            db,
            ledger: Ledger::new(Arc::clone(&clock)),
            clock,
            quota,
        }
    }

    /// Renews every free subscription whose period is over, each in a transaction of its own. Safe
    /// to run at any time, in any number of processes.
    ///
    /// # Errors
    /// Only if the list of them cannot be read.
    pub async fn renew_due(&self, ctx: &Ctx) -> Result<Renewed, DbError> {
        let mut total = Renewed::default();
        let mut after = None;
        loop {
            let now = self.clock.now();
            let mut tx = self.db.read(ctx).await?;
            let due = subscriptions::all_due(&mut tx, now, after, BATCH).await?;
            // The connection goes back: each renewal takes one.
            drop(tx);
            let Some(last) = due.last() else {
                return Ok(total);
            };
            after = Some((last.current_period_end, last.id));
            for row in &due {
                match self.renew(ctx, UserId(row.user_id)).await {
                    Ok(renewed) => total.renewed += usize::from(renewed),
                    Err(error) => {
                        total.failed += 1;
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(subscription = %row.id, error, "cannot renew");
                    }
                }
            }
        }
    }

    async fn renew(&self, ctx: &Ctx, user: UserId) -> Result<bool, LedgerError> {
        let mut tx = self.db.begin(ctx).await?;
        wallets::ensure(&mut tx, user);
        wallets::lock(&mut tx, user);
        let renewed = renewal::renew(&self.ledger, &mut tx, ctx, user).await?;
        tx.commit().await?;
        Ok(renewed)
    }
}

impl Subscriptions {
    /// Subscribes a new person to the free plan, from now to the same day of the next month.
    pub(crate) async fn begin_free(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        account: &NewAccount,
    ) -> Result<(), DbError> {
        let plan = plans::monthly(tx, FREE_PLAN).await?;
        // As the database keeps it, so that the period's name in the books stays the same.
        let now = self.clock.now().trunc_subsecs(6);
        let period = Period::around(now, now);
        let subscription = self.clock.new_id();
        subscriptions::insert(tx, subscription, account.id, plan.id, period).await?;
        let credits = plan.credits_included;
        renewal::grant_included(
            &self.ledger,
            tx,
            ctx,
            account.id,
            subscription,
            credits,
            period,
        )
        .await
        .map_err(|error| match error {
            LedgerError::Db(error) => error,
            other => DbError::Other(other.into()),
        })?;
        self.quota
            .set_limit(tx, account.id, plan.storage_bytes())
            .await
    }
}
