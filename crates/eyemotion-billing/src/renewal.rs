//! Periods of plans that nobody bills: what is left of the included credits ends, new ones come.

use crate::ledger::{Ledger, LotGrant};
use crate::model::LotKind;
use crate::period::Period;
use crate::repository::subscriptions;
use chrono::SecondsFormat;
use eyemotion_core::{Credits, Ctx, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::LedgerError;
use uuid::Uuid;

/// Moves a person's free subscription into the present period if its last one is over. The wallet
/// is locked, so two renewals never meet. Periods that nobody saw are skipped: included credits do
/// not add up.
pub(crate) async fn renew(
    ledger: &Ledger,
    tx: &mut Tx,
    ctx: &Ctx,
    user: UserId,
) -> Result<bool, LedgerError> {
    let now = ledger.clock().now();
    let Some(due) = subscriptions::due_of(tx, user, now).await? else {
        return Ok(false);
    };
    let period = Period::around(now, due.created_at);
    if !subscriptions::move_period(tx, due.id, due.current_period_end, period).await? {
        return Ok(false);
    }
    grant_included(
        ledger,
        tx,
        ctx,
        user,
        due.id,
        Credits(due.credits_included),
        period,
    )
    .await?;
    Ok(true)
}

/// Gives a period's credits, once. They end with the period.
pub(crate) async fn grant_included(
    ledger: &Ledger,
    tx: &mut Tx,
    ctx: &Ctx,
    user: UserId,
    subscription: Uuid,
    credits: Credits,
    period: Period,
) -> Result<(), LedgerError> {
    if credits == Credits(0) {
        return Ok(());
    }
    let start = period.start.to_rfc3339_opts(SecondsFormat::Micros, true);
    let grant = LotGrant {
        user,
        credits,
        kind: LotKind::Included,
        source_type: "subscription_period",
        source_id: format!("{subscription}:{start}"),
        reason: "subscription_period".to_owned(),
        expires_at: Some(period.end),
    };
    ledger.grant_lot(tx, ctx, grant).await?;
    Ok(())
}
