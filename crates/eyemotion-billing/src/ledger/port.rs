//! The ledger behind its port.

use super::{LotGrant, Posting, TxnKind};
use super::{allocation, available, check_amount, outcome, posting, replay};
use crate::ledger::Ledger;
use crate::model::LotKind;
use crate::repository::{lots, prices, txns, wallets};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Ctx, UserId};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{
    Capture, Charge, CreditKind, CreditLedger, Grant, Hold, LedgerError, Priced, Quote,
};

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
        let Some(wallet) = wallets::open(tx, user, &charge.idempotency_key).await? else {
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
        let posting = Posting {
            key: charge.idempotency_key,
            request_hash: hash,
            reference: Some((charge.resource_type.to_owned(), charge.resource_id)),
            price: charge.price,
            details: outcome(balance),
            moves: allocation::take(lots, needed.0),
            ..self.posting(ctx, user, TxnKind::Spend, charge.action, self.clock.now())
        };
        txns::post(tx, posting);
        Ok(balance)
    }

    async fn hold(&self, tx: &mut Tx, ctx: &Ctx, hold: Hold) -> Result<Credits, LedgerError> {
        self.set_aside(tx, ctx, hold).await
    }

    async fn capture(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        capture: Capture,
    ) -> Result<Credits, LedgerError> {
        self.capture_hold(tx, ctx, capture).await
    }

    async fn release(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        hold: &str,
    ) -> Result<Credits, LedgerError> {
        self.release_hold(tx, ctx, user, hold).await
    }

    async fn release_for(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        resource_type: &str,
        resource_ids: &[String],
    ) -> Result<(), LedgerError> {
        self.release_holds_for(tx, ctx, user, resource_type, resource_ids)
            .await
    }

    async fn extend(
        &self,
        tx: &mut Tx,
        user: UserId,
        hold: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.extend_hold(tx, user, hold, expires_at).await
    }

    async fn quote(
        &self,
        tx: &mut Tx,
        action: &'static str,
        quantity: u64,
    ) -> Result<Quote, LedgerError> {
        let price = prices::at(tx, action, self.clock.now())
            .await?
            .ok_or(LedgerError::Unpriced(action))?;
        Ok(Quote {
            credits: price.of(quantity),
            price: Priced {
                price: price.id,
                quantity: i64::try_from(quantity).unwrap_or(i64::MAX),
            },
        })
    }

    async fn balance(&self, tx: &mut Tx, user: UserId) -> Result<Credits, DbError> {
        let now = self.clock.now();
        let mut lots = lots::open(tx, user).await?;
        lots.retain(|lot| !lot.has_expired(now));
        Ok(Credits(available(&lots)))
    }
}
