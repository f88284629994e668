//! The double-entry book of credits.
//!
//! Whatever changes a person's credits locks the person's wallet row first. What it reads after
//! that, in statements of their own, is therefore the latest: the lots, and whether the key was
//! used before. Chosen in the same statement as the lock, lots would come from a snapshot older
//! than the wait for it.

mod allocation;
mod posting;

pub(crate) use allocation::{Lot, LotMove, available};
pub(crate) use posting::{Posting, TxnKind};

use crate::model::LotKind;
use crate::renewal;
use crate::repository::{lots, txns, wallets};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Clock, Credits, Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{Charge, CreditKind, CreditLedger, Grant, LedgerError};
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
        wallets::ensure(tx, user).await?;
        wallets::lock(tx, user).await?;
        if let Some(balance) = replay(tx, user, &key, hash).await? {
            return Ok(balance);
        }
        let now = self.clock.now();
        let before = available(&self.settle(tx, ctx, user, now).await?);
        let balance = Credits(before.saturating_add(amount));
        let lot = self.clock.new_id();
        lots::insert(tx, lot, &grant, now)
            .await
            .map_err(source_taken)?;
        let posting = Posting {
            id: self.clock.new_id(),
            user,
            kind: TxnKind::Grant,
            key,
            request_hash: hash,
            reason: grant.reason,
            actor: posting::actor(ctx),
            reference: Some((grant.source_type.to_owned(), grant.source_id)),
            details: outcome(balance),
            at: now,
            moves: vec![LotMove { lot, amount }],
        };
        txns::post(tx, &posting).await?;
        Ok(balance)
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
        let (expired, live): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|lot| lot.has_expired(now));
        // What is held of an expired lot ends when it is released.
        let moves: Vec<LotMove> = expired
            .iter()
            .filter(|lot| lot.free() > 0)
            .map(|lot| LotMove {
                lot: lot.id,
                amount: -lot.free(),
            })
            .collect();
        if !moves.is_empty() {
            let id = self.clock.new_id();
            let posting = Posting {
                id,
                user,
                kind: TxnKind::Expire,
                key: format!("expire:{id}"),
                request_hash: posting::request_hash(&["expire", &id.to_string()]),
                reason: "expired".to_owned(),
                actor: posting::actor(ctx),
                reference: None,
                details: outcome(Credits(available(&live))),
                at: now,
                moves,
            };
            txns::post(tx, &posting).await?;
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

#[async_trait]
impl CreditLedger for Ledger {
    async fn grant(&self, tx: &mut Tx, ctx: &Ctx, grant: Grant) -> Result<Credits, LedgerError> {
        let kind = match grant.kind {
            CreditKind::Included => LotKind::Included,
            CreditKind::Purchased => LotKind::Purchased,
            CreditKind::Adjustment => LotKind::Adjustment,
        };
        let grant = LotGrant {
            user: grant.user,
            credits: grant.credits,
            kind,
            source_type: grant.source_type,
            source_id: grant.source_id,
            reason: kind.as_str().to_owned(),
            expires_at: None,
        };
        self.grant_lot(tx, ctx, grant).await
    }

    async fn spend(&self, tx: &mut Tx, ctx: &Ctx, charge: Charge) -> Result<Credits, LedgerError> {
        let (user, needed) = (charge.user, charge.credits);
        check_amount(needed)?;
        let hash = posting::request_hash(&[
            "spend",
            &needed.0.to_string(),
            charge.action,
            charge.resource_type,
            &charge.resource_id,
        ]);
        if !wallets::lock(tx, user).await? {
            return Err(LedgerError::Insufficient {
                needed,
                available: Credits(0),
            });
        }
        if let Some(balance) = replay(tx, user, &charge.idempotency_key, hash).await? {
            return Ok(balance);
        }
        let now = self.clock.now();
        let mut lots = self.settle(tx, ctx, user, now).await?;
        if available(&lots) < needed.0 && renewal::renew(self, tx, ctx, user).await? {
            lots = self.settle(tx, ctx, user, now).await?;
        }
        let available = available(&lots);
        let Some(moves) = allocation::take(lots, needed.0) else {
            return Err(LedgerError::Insufficient {
                needed,
                available: Credits(available),
            });
        };
        let balance = Credits(available.saturating_sub(needed.0));
        let posting = Posting {
            id: self.clock.new_id(),
            user,
            kind: TxnKind::Spend,
            key: charge.idempotency_key,
            request_hash: hash,
            reason: charge.action.to_owned(),
            actor: posting::actor(ctx),
            reference: Some((charge.resource_type.to_owned(), charge.resource_id)),
            details: outcome(balance),
            at: now,
            moves,
        };
        txns::post(tx, &posting).await?;
        Ok(balance)
    }

    async fn balance(&self, tx: &mut Tx, user: UserId) -> Result<Credits, DbError> {
        let now = self.clock.now();
        let mut lots = lots::open(tx, user).await?;
        lots.retain(|lot| !lot.has_expired(now));
        Ok(Credits(available(&lots)))
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

/// The outcome of the transaction under this key, if there is one. The wallet is locked.
async fn replay(
    tx: &mut Tx,
    user: UserId,
    key: &str,
    hash: [u8; 32],
) -> Result<Option<Credits>, LedgerError> {
    let Some(stored) = txns::find(tx, user, key).await? else {
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
