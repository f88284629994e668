use crate::error::BillingError;
use crate::hot_reads::{HotReads, HotSubscription};
use crate::ledger::{Ledger, LotGrant, available};
use crate::model::{
    ActionPrice, CreditUsage, CreditsOverview, LotKind, Plan, SubscriptionOverview,
};
use crate::repository::{lots, plans, prices, subscriptions, usage};
use crate::service::{Billing, CreditGrant};
use async_trait::async_trait;
use eyemotion_core::{Actor, Clock, Credits, Ctx, Cursor, FieldError, Page, PageRequest, UserId};
use eyemotion_db::{Changes, Db, DbError, idempotency};
use eyemotion_ports::{Activity, ActivityLog, LedgerError};
use serde_json::json;
use std::sync::Arc;

/// The most that an operator gives at once: a slip of the finger should not make a fortune.
const MAX_GRANT: i64 = 1_000_000;

const GRANT: &str = "credits.grant";

/// [`Billing`] on PostgreSQL.
pub struct BillingService {
    db: Db,
    clock: Arc<dyn Clock>,
    ledger: Ledger,
    activity: Arc<dyn ActivityLog>,
    hot: HotReads,
}

impl BillingService {
    /// Puts the service together.
    pub fn new(db: Db, clock: Arc<dyn Clock>, activity: Arc<dyn ActivityLog>) -> Self {
        Self {
            db,
            ledger: Ledger::new(Arc::clone(&clock)),
            clock,
            activity,
            hot: HotReads::new(&Changes::off()),
        }
    }

    /// Keeps in memory what is asked most, until `changes` tell otherwise.
    #[must_use]
    pub fn with_hot_reads(self, changes: &Changes) -> Self {
        Self {
            hot: HotReads::new(changes),
            ..self
        }
    }

    async fn hot_subscription(
        &self,
        ctx: &Ctx,
        user: UserId,
    ) -> Result<Arc<HotSubscription>, BillingError> {
        let read = async {
            let mut tx = self.db.read(ctx).await?;
            Ok(Arc::new(subscriptions::overview(&mut tx, user).await?))
        };
        self.hot.subscriptions.get(&user, read).await
    }
}

#[async_trait]
impl Billing for BillingService {
    async fn plans(&self, ctx: &Ctx) -> Result<Vec<Plan>, BillingError> {
        let mut tx = self.db.read(ctx).await?;
        Ok(plans::on_sale(&mut tx).await?)
    }

    async fn subscription(&self, ctx: &Ctx) -> Result<SubscriptionOverview, BillingError> {
        let user = caller(ctx)?;
        let mut found = self.hot_subscription(ctx, user).await?;
        if found.has_changed(self.clock.now()) {
            self.hot.subscriptions.forget(&user);
            found = self.hot_subscription(ctx, user).await?;
        }
        let overview = found.overview.clone();
        overview.ok_or(BillingError::SubscriptionNotFound)
    }

    async fn credits(&self, ctx: &Ctx) -> Result<CreditsOverview, BillingError> {
        let user = caller(ctx)?;
        let now = self.clock.now();
        let read = async {
            let mut tx = self.db.read(ctx).await?;
            Ok::<_, BillingError>(Arc::from(lots::open(&mut tx, user).await?))
        };
        let mut lots = self.hot.lots.get(&user, read).await?.to_vec();
        lots.retain(|lot| !lot.has_expired(now));
        let mut overview = CreditsOverview {
            balance: Credits(available(&lots)),
            ..CreditsOverview::default()
        };
        for lot in lots {
            overview.held.0 += lot.held;
            if matches!(lot.kind, LotKind::Included | LotKind::Trial) {
                overview.included.0 += lot.granted;
                overview.used.0 += lot.granted - lot.remaining;
                overview.resets_at = match (overview.resets_at, lot.expires_at) {
                    (Some(first), Some(second)) => Some(first.min(second)),
                    (first, second) => first.or(second),
                };
            } else {
                overview.extra.0 += lot.remaining;
            }
        }
        Ok(overview)
    }

    async fn usage(&self, ctx: &Ctx, page: PageRequest) -> Result<Page<CreditUsage>, BillingError> {
        let user = caller(ctx)?;
        let mut tx = self.db.read(ctx).await?;
        let rows = usage::list(&mut tx, user, page).await?;
        let key = |row: &CreditUsage| Cursor {
            created_at: row.created_at,
            id: row.id,
        };
        Ok(Page::from_rows(rows, page.limit, key))
    }

    async fn action_prices(&self, ctx: &Ctx) -> Result<Vec<ActionPrice>, BillingError> {
        caller(ctx)?;
        let mut tx = self.db.read(ctx).await?;
        Ok(prices::all(&mut tx).await?)
    }

    async fn grant(&self, ctx: &Ctx, grant: CreditGrant) -> Result<Credits, BillingError> {
        check_operator(ctx)?;
        let reason = check_grant(&grant)?;
        let activity = Activity::new("credits.granted", "user", grant.user)
            .with(json!({ "credits": grant.credits, "reason": reason }));
        let grant = LotGrant {
            user: grant.user,
            credits: grant.credits,
            kind: LotKind::Adjustment,
            source_type: "operator_grant",
            source_id: self.clock.new_id().to_string(),
            reason,
            expires_at: None,
        };
        // Somebody else's rows: the system's rights, the operator's name in books and log.
        let mut tx = self
            .db
            .begin(&ctx.with_actor(Actor::System("billing")))
            .await?;
        if let Some(balance) = idempotency::replay(&mut tx, ctx, GRANT).await? {
            return Ok(balance);
        }
        let balance = self
            .ledger
            .grant_lot(&mut tx, ctx, grant)
            .await
            .map_err(unknown_user)?;
        self.activity.record(&mut tx, ctx, activity).await?;
        idempotency::remember(&mut tx, ctx, GRANT, &balance).await?;
        tx.commit().await?;
        Ok(balance)
    }
}

fn caller(ctx: &Ctx) -> Result<UserId, BillingError> {
    ctx.user_id().ok_or(BillingError::Unauthenticated)
}

pub(crate) fn check_operator(ctx: &Ctx) -> Result<(), BillingError> {
    match ctx.actor {
        Actor::User { role, .. } if role.is_admin() => Ok(()),
        Actor::System(_) => Ok(()),
        Actor::User { .. } => Err(BillingError::Forbidden),
        Actor::Anonymous | Actor::ApiKey { .. } => Err(BillingError::Unauthenticated),
    }
}

/// Returns the reason, trimmed.
fn check_grant(grant: &CreditGrant) -> Result<String, BillingError> {
    let mut faults = Vec::new();
    if !(1..=MAX_GRANT).contains(&grant.credits.0) {
        let detail = format!("must be from 1 to {MAX_GRANT}");
        faults.push(FieldError::new("/credits", "out_of_range", detail));
    }
    let reason = grant.reason.trim();
    if !(1..=200).contains(&reason.chars().count()) || reason.contains(char::is_control) {
        let detail = "must have 1 to 200 characters on one line";
        faults.push(FieldError::new("/reason", "invalid", detail));
    }
    if faults.is_empty() {
        Ok(reason.to_owned())
    } else {
        Err(BillingError::Invalid(faults))
    }
}

fn unknown_user(error: LedgerError) -> BillingError {
    match &error {
        LedgerError::Db(DbError::Constraint { name, .. })
            if name == "credit_wallets_user_id_fkey" =>
        {
            BillingError::UserNotFound
        }
        _ => error.into(),
    }
}
