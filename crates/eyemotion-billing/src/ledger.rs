//! The double-entry book of credits.
//!
//! Whatever changes a person's credits locks the person's wallet row first. What it reads after
//! that, in statements of their own, is therefore the latest: the lots, and whether the key was
//! used before. Chosen in the same statement as the lock, lots would come from a snapshot older
//! than the wait for it.

mod allocation;
mod holds;
mod port;
mod posting;
mod reversal;

pub(crate) use allocation::{Lot, LotMove, available};
pub(crate) use posting::{Posting, TxnKind};
pub use reversal::reversal_target;

use crate::model::LotKind;
use crate::renewal;
use crate::repository::txns::{self, TxnRow};
use crate::repository::{lots, wallets};
use chrono::{DateTime, Utc};
use eyemotion_core::{Clock, Credits, Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::LedgerError;
use serde_json::{Value, json};
use std::sync::Arc;

/// The ledger, behind its port. It needs nothing but a clock: everything else is in the caller's
/// transaction, which must be the platform's, for the person in question or for itself.
#[derive(Clone)]
pub struct Ledger {
    clock: Arc<dyn Clock>,
}

/// A [`Grant`] with what the port leaves out.
#[derive(Debug)]
pub(crate) struct LotGrant {
    pub user: UserId,
    pub credits: Credits,
    pub kind: LotKind,
    pub source_type: &'static str,
    pub source_id: String,
    pub reason: String,
    pub expires_at: Option<DateTime<Utc>>,
}

impl Ledger {
    /// A ledger that takes time and ids from `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Gives credits, once for each source. Returns the balance afterwards.
    pub(crate) async fn grant_lot(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        grant: LotGrant,
    ) -> Result<Credits, LedgerError> {
        let (user, amount) = (grant.user, grant.credits.0);
        check_amount(grant.credits)?;
        let key = format!("grant:{}:{}", grant.source_type, grant.source_id);
        let hash = posting::request_hash(&["grant", grant.kind.as_str(), &amount.to_string()]);
        wallets::ensure(tx, user);
        let wallet = wallets::open(tx, user, &key).await?;
        let wallet = wallet.ok_or(DbError::NotFound)?;
        if let Some(balance) = replay(wallet.stored, hash)? {
            return Ok(balance);
        }
        let now = self.clock.now();
        let live = self.close_expired(tx, ctx, user, wallet.lots, now).await?;
        let before = available(&live);
        let repaid = wallet.debt.min(amount);
        let kept = amount.saturating_sub(repaid);
        let balance = Credits(before.saturating_add(kept));
        let lot = self.clock.new_id();
        lots::insert(tx, lot, &grant, now)
            .await
            .map_err(source_taken)?;
        let filled = LotMove {
            lot,
            amount: kept,
            held: 0,
            is_frozen: false,
        };
        let posting = Posting {
            key,
            request_hash: hash,
            reference: Some((grant.source_type.to_owned(), grant.source_id)),
            details: outcome(balance),
            moves: if kept > 0 { vec![filled] } else { Vec::new() },
            debt: repaid.saturating_neg(),
            ..self.posting(ctx, user, TxnKind::Grant, &grant.reason, now)
        };
        txns::post(tx, posting);
        Ok(balance)
    }

    /// A transaction that nobody repeats, with nothing in it yet.
    fn posting(
        &self,
        ctx: &Ctx,
        user: UserId,
        kind: TxnKind,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Posting {
        let id = self.clock.new_id();
        Posting {
            id,
            user,
            kind,
            key: format!("{}:{id}", kind.as_str()),
            request_hash: posting::request_hash(&[kind.as_str(), &id.to_string()]),
            reason: reason.to_owned(),
            actor: posting::actor(ctx),
            reference: None,
            price: None,
            details: json!({}),
            at,
            moves: Vec::new(),
            debt: 0,
        }
    }

    /// The lots that pay for so much. Before they turn out not to hold it, whatever is due anyway
    /// is done: the free plan's renewal, and the end of holds whose time is over. The wallet is
    /// locked.
    async fn payable(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        open: Vec<Lot>,
        needed: Credits,
    ) -> Result<Vec<Lot>, LedgerError> {
        let now = self.clock.now();
        let mut lots = self.close_expired(tx, ctx, user, open, now).await?;
        if available(&lots) < needed.0 && renewal::renew(self, tx, ctx, user).await? {
            lots = self.settle(tx, ctx, user, now).await?;
        }
        if available(&lots) < needed.0 && self.expire_holds(tx, ctx, user, now).await? > 0 {
            lots = self.settle(tx, ctx, user, now).await?;
        }
        let available = Credits(available(&lots));
        if available < needed {
            return Err(LedgerError::Insufficient { needed, available });
        }
        Ok(lots)
    }

    /// Closes lots whose time is over and returns those that are left. The wallet is locked.
    async fn settle(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Lot>, DbError> {
        let open = lots::open(tx, user).await?;
        self.close_expired(tx, ctx, user, open, now).await
    }

    /// The same with lots that have been read.
    async fn close_expired(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        open: Vec<Lot>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Lot>, DbError> {
        let (expired, live): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|lot| lot.has_expired(now));
        // What is held of an expired lot ends when it is released.
        let freed = expired.iter().filter(|lot| lot.free() > 0);
        let moves: Vec<LotMove> = freed.map(|lot| lot.moved(-lot.free())).collect();
        if !moves.is_empty() {
            let posting = Posting {
                details: outcome(Credits(available(&live))),
                moves,
                ..self.posting(ctx, user, TxnKind::Expire, "expired", now)
            };
            txns::post(tx, posting);
        }
        let done: Vec<_> = expired
            .iter()
            .filter(|lot| lot.held == 0)
            .map(|lot| lot.id)
            .collect();
        if !done.is_empty() {
            lots::close_expired(tx, &done).await?;
        }
        Ok(live)
    }
}

fn check_amount(credits: Credits) -> Result<(), DbError> {
    if credits.0 > 0 {
        Ok(())
    } else {
        Err(DbError::Other("an amount of credits below one".into()))
    }
}

const BALANCE_AFTER: &str = "balanceAfter";

/// What a transaction led to, for those who repeat its key.
fn outcome(balance: Credits) -> Value {
    json!({ BALANCE_AFTER: balance })
}

/// The outcome of the transaction under this key, if there is one.
fn replay(stored: Option<TxnRow>, hash: [u8; 32]) -> Result<Option<Credits>, LedgerError> {
    let Some(stored) = stored else {
        return Ok(None);
    };
    if stored.request_hash != hash {
        return Err(LedgerError::KeyReused);
    }
    let balance = stored.details.get(BALANCE_AFTER).and_then(Value::as_i64);
    balance
        .map(|balance| Some(Credits(balance)))
        .ok_or_else(|| DbError::Other("a ledger transaction without its outcome".into()).into())
}

/// A source grants once, to one person.
fn source_taken(error: DbError) -> LedgerError {
    match error.constraint() {
        Some("credit_lots_source_type_source_id_key") => LedgerError::KeyReused,
        _ => error.into(),
    }
}
