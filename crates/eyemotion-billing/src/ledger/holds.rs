//! Credits set aside: captured, released or expired, once.

use super::{Lot, LotMove, Posting, TxnKind};
use super::{allocation, available, check_amount, outcome, posting, replay};
use crate::ledger::Ledger;
use crate::model::LotKind;
use crate::repository::holds::{self, CAPTURED, EXPIRED, HoldRow, PENDING, RELEASED};
use crate::repository::{txns, wallets};
use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Capture, Hold, LedgerError};

/// What a hold comes to: how much of it is taken, and the transaction that says so.
struct Resolution {
    status: &'static str,
    captured: i64,
    kind: TxnKind,
    /// Key and hash of a request that may be repeated.
    request: Option<(String, [u8; 32])>,
}

impl Resolution {
    const fn back(status: &'static str) -> Self {
        Self {
            status,
            captured: 0,
            kind: TxnKind::Release,
            request: None,
        }
    }
}

impl Ledger {
    pub(super) async fn set_aside(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        hold: Hold,
    ) -> Result<Credits, LedgerError> {
        let (user, needed) = (hold.user, hold.credits);
        check_amount(needed)?;
        let key = format!("hold:{}", hold.idempotency_key);
        let hash = posting::request_hash(&[
            "hold",
            &needed.0.to_string(),
            hold.action,
            hold.resource_type,
            &hold.resource_id,
        ]);
        let Some(wallet) = wallets::open(tx, user, &key).await? else {
            return Err(LedgerError::Insufficient {
                needed,
                available: Credits(0),
            });
        };
        if let Some(balance) = replay(wallet.stored, hash)? {
            return Ok(balance);
        }
        let lots = self.payable(tx, ctx, user, wallet.lots, needed).await?;
        let balance = Credits(available(&lots).saturating_sub(needed.0));
        let mut moves = allocation::take(lots, needed.0);
        for each in &mut moves {
            each.held = each.amount.saturating_neg();
            each.amount = 0;
        }
        let now = self.clock.now();
        let lines: Vec<_> = moves.iter().map(|each| (each.lot, each.held)).collect();
        holds::insert(tx, self.clock.new_id(), &hold, &lines, now).await?;
        let posting = Posting {
            key,
            request_hash: hash,
            reference: Some((hold.resource_type.to_owned(), hold.resource_id)),
            price: hold.price,
            details: outcome(balance),
            moves,
            ..self.posting(ctx, user, TxnKind::Hold, hold.action, now)
        };
        txns::post(tx, posting);
        Ok(balance)
    }

    pub(super) async fn capture_hold(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        capture: Capture,
    ) -> Result<Credits, LedgerError> {
        let user = capture.user;
        capture.credits.map_or(Ok(()), check_amount)?;
        let wanted = capture
            .credits
            .map_or_else(|| "all".to_owned(), |credits| credits.0.to_string());
        let key = format!("capture:{}", capture.idempotency_key);
        let hash = posting::request_hash(&["capture", &wanted, &capture.hold]);
        let Some(wallet) = wallets::open(tx, user, &key).await? else {
            return Err(LedgerError::HoldNotFound);
        };
        if let Some(balance) = replay(wallet.stored, hash)? {
            return Ok(balance);
        }
        let now = self.clock.now();
        let hold = pending(holds::find(tx, user, &capture.hold).await?, now)?;
        let kept = Credits(hold.amount);
        let wanted = capture.credits.unwrap_or(kept);
        if wanted > kept {
            return Err(LedgerError::BeyondHold { held: kept, wanted });
        }
        let resolution = Resolution {
            status: CAPTURED,
            captured: wanted.0,
            kind: TxnKind::Capture,
            request: Some((key, hash)),
        };
        self.resolve(tx, ctx, &hold, resolution, wallet.debt, now)
            .await
    }

    pub(super) async fn release_hold(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        name: &str,
    ) -> Result<Credits, LedgerError> {
        let debt = self.lock_debt(tx, user).await?;
        let now = self.clock.now();
        let hold = pending(holds::find(tx, user, name).await?, now)?;
        self.resolve(tx, ctx, &hold, Resolution::back(RELEASED), debt, now)
            .await
    }

    pub(super) async fn release_holds_for(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        resource_type: &str,
        resource_ids: &[String],
    ) -> Result<(), LedgerError> {
        // Mostly there is none, and then nobody's wallet has to be locked.
        if holds::pending_for(tx, user, resource_type, resource_ids)
            .await?
            .is_empty()
        {
            return Ok(());
        }
        wallets::lock(tx, user);
        let now = self.clock.now();
        for hold in holds::pending_for(tx, user, resource_type, resource_ids).await? {
            let debt = self.lock_debt(tx, user).await?;
            self.resolve(tx, ctx, &hold, Resolution::back(RELEASED), debt, now)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn extend_hold(
        &self,
        tx: &mut Tx,
        user: UserId,
        name: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let now = self.clock.now();
        if !holds::extend(tx, user, name, now, expires_at).await? {
            pending(holds::find(tx, user, name).await?, now)?;
        }
        Ok(())
    }

    /// Gives back what a person's holds keep whose time is over; how many there were. The wallet
    /// is locked.
    pub(super) async fn expire_holds(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<usize, LedgerError> {
        let overdue = holds::overdue_of(tx, user, now).await?;
        for hold in &overdue {
            let debt = self.lock_debt(tx, user).await?;
            self.resolve(tx, ctx, hold, Resolution::back(EXPIRED), debt, now)
                .await?;
        }
        Ok(overdue.len())
    }

    /// The same, for a job.
    pub(crate) async fn end_overdue_holds(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
    ) -> Result<usize, LedgerError> {
        wallets::lock(tx, user);
        self.expire_holds(tx, ctx, user, self.clock.now()).await
    }

    /// Locks the wallet; what the person owes. Whoever has no wallet has no hold either.
    async fn lock_debt(&self, tx: &mut Tx, user: UserId) -> Result<i64, DbError> {
        Ok(wallets::lock_debt(tx, user).await?.unwrap_or_default())
    }

    async fn resolve(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        hold: &HoldRow,
        resolution: Resolution,
        debt: i64,
        now: DateTime<Utc>,
    ) -> Result<Credits, LedgerError> {
        let user = UserId(hold.user_id);
        if !holds::resolve(tx, hold.id, resolution.status, resolution.captured, now).await? {
            return Err(DbError::Other("a hold that somebody else has resolved".into()).into());
        }
        let mut lines = holds::lines(tx, hold.id).await?;
        lines.sort_by_key(|(lot, _)| allocation::spend_order(lot));
        let moves = split(&lines, resolution.captured);
        let mut live = self.settle(tx, ctx, user, now).await?;
        allocation::apply(&mut live, &moves);
        let repayment = repayment(&live, debt);
        allocation::apply(&mut live, &repayment);
        let balance = Credits(available(&live));
        let mut posting = Posting {
            reference: Some((hold.ref_type.clone(), hold.ref_id.clone())),
            price: hold.price(),
            details: outcome(balance),
            moves,
            ..self.posting(ctx, user, resolution.kind, &hold.action, now)
        };
        if let Some((key, hash)) = resolution.request {
            posting.key = key;
            posting.request_hash = hash;
        }
        txns::post(tx, posting);
        self.repay(tx, ctx, user, repayment, now);
        // What was held of a lot whose time is over ends now.
        if lines.iter().any(|(lot, _)| lot.has_expired(now)) {
            self.settle(tx, ctx, user, now).await?;
        }
        Ok(balance)
    }

    /// Pays what is owed with these moves out of lots. The wallet is locked.
    pub(super) fn repay(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        moves: Vec<LotMove>,
        now: DateTime<Utc>,
    ) {
        if moves.is_empty() {
            return;
        }
        let posting = Posting {
            debt: moves.iter().map(|each| each.amount).sum(),
            moves,
            ..self.posting(ctx, user, TxnKind::Adjust, "debt_repaid", now)
        };
        txns::post(tx, posting);
    }
}

/// What bought credits pay of a debt as soon as they are free: else a hold around the moment of a
/// refund would keep them.
pub(super) fn repayment(live: &[Lot], debt: i64) -> Vec<LotMove> {
    let bought = live.iter().filter(|lot| lot.kind == LotKind::Purchased);
    allocation::take(bought.cloned().collect(), debt)
}

/// Ends every line; `captured` of them all is taken, from those that pay first.
fn split(lines: &[(Lot, i64)], captured: i64) -> Vec<LotMove> {
    let mut missing = captured;
    lines
        .iter()
        .map(|(lot, amount)| {
            let taken = missing.min(*amount);
            missing -= taken;
            LotMove {
                held: amount.saturating_neg(),
                ..lot.moved(-taken)
            }
        })
        .collect()
}

/// A hold that may still be resolved.
fn pending(hold: Option<HoldRow>, now: DateTime<Utc>) -> Result<HoldRow, LedgerError> {
    let hold = hold.ok_or(LedgerError::HoldNotFound)?;
    match hold.status.as_str() {
        CAPTURED => Err(LedgerError::AlreadyCaptured),
        RELEASED => Err(LedgerError::AlreadyReleased),
        PENDING if hold.expires_at > now => Ok(hold),
        // Overdue is expired, though no job has come by yet.
        _ => Err(LedgerError::HoldExpired),
    }
}
