//! Which plan a person has: the paid one while it lives, else the free one.

use super::{ConvergeError, Round};
use crate::model::Plan;
use crate::period::Period;
use crate::renewal;
use crate::repository::{billed_subscriptions as subscriptions, plans, wallets};
use chrono::{DateTime, SubsecRound, Utc};
use eyemotion_ports::Activity;
use serde_json::json;

/// What everybody has who pays for nothing else.
const FREE_PLAN: &str = "freemium";

impl Round<'_> {
    /// Ends whatever else is live, before a paid subscription becomes live: what came with the free
    /// plan ends with it.
    pub(super) async fn make_way(
        &mut self,
        plan: &Plan,
        at: DateTime<Utc>,
    ) -> Result<(), ConvergeError> {
        let user = self.user;
        if let Some(live) = subscriptions::live(self.tx, user).await? {
            subscriptions::end(self.tx, live.id, at.max(live.created_at)).await?;
            self.expire_included().await?;
        }
        self.on
            .quota
            .set_limit(self.tx, user, plan.storage_bytes())
            .await?;
        let activity = Activity::new("subscription.started", "user", user)
            .of(user)
            .with(json!({ "plan": plan.name }));
        self.record(activity).await
    }

    /// Lets the free plan go on after a paid subscription has ended: what came with that ends, what
    /// was bought stays.
    pub(super) async fn fall_back(&mut self) -> Result<(), ConvergeError> {
        let user = self.user;
        self.expire_included().await?;
        self.ensure_free().await?;
        let activity = Activity::new("subscription.ended", "user", user).of(user);
        self.record(activity).await
    }

    /// Makes sure that somebody without a live subscription has the free one, in the period around
    /// now. Its credits have the period's name, so that going back and forth brings no more.
    pub(super) async fn ensure_free(&mut self) -> Result<(), ConvergeError> {
        let user = self.user;
        if subscriptions::live(self.tx, user).await?.is_some() {
            return Ok(());
        }
        let plan = plans::monthly(self.tx, FREE_PLAN).await?;
        let now = self.on.clock.now().trunc_subsecs(6);
        let (id, period) = if let Some(free) = subscriptions::free(self.tx, user).await? {
            let period = Period::around(now, free.created_at);
            subscriptions::resume_free(self.tx, free.id, period).await?;
            (free.id, period)
        } else {
            let (id, period) = (self.on.clock.new_id(), Period::around(now, now));
            crate::repository::subscriptions::insert(self.tx, id, user, plan.id, period).await?;
            (id, period)
        };
        wallets::ensure(self.tx, user);
        let credits = plan.credits_included;
        renewal::grant_included(
            &self.on.ledger,
            self.tx,
            self.ctx,
            user,
            id,
            credits,
            period,
        )
        .await?;
        self.on
            .quota
            .set_limit(self.tx, user, plan.storage_bytes())
            .await?;
        Ok(())
    }

    pub(super) async fn expire_included(&mut self) -> Result<(), ConvergeError> {
        let ledger = &self.on.ledger;
        Ok(ledger.expire_included(self.tx, self.ctx, self.user).await?)
    }

    pub(super) async fn record(&mut self, activity: Activity) -> Result<(), ConvergeError> {
        let log = &self.on.activity;
        Ok(log.record(self.tx, self.ctx, activity).await?)
    }
}
