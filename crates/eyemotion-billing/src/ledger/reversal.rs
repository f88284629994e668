//! Taking back what a payment gave, when the payment is taken back: a target is set, and what is
//! missing to it is moved. Setting the same target again moves nothing.

use super::{Lot, LotGrant, LotMove, Posting, TxnKind};
use super::{allocation, holds};
use crate::ledger::Ledger;
use crate::model::LotKind;
use crate::repository::{lots, txns, wallets};
use chrono::{DateTime, Utc};
use eyemotion_core::{Credits, Ctx, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::LedgerError;

/// How many of `granted` credits are to be taken back when `reversed` of `paid` money went back:
/// rounded down, and never more than were granted.
pub fn reversal_target(granted: Credits, reversed: i64, paid: i64) -> Credits {
    if paid <= 0 || reversed <= 0 || granted.0 <= 0 {
        return Credits(0);
    }
    let share = i128::from(granted.0) * i128::from(reversed.min(paid)) / i128::from(paid);
    Credits(i64::try_from(share).unwrap_or(granted.0))
}

impl Ledger {
    /// Takes back, or gives again, until `target` credits of what this source granted have been
    /// taken back. From the source's own lot first, frozen or not, then from other bought ones, and
    /// what is missing is owed: the next grants pay it. Held credits are left until they are free.
    /// Returns what was moved: positive if taken.
    ///
    /// # Errors
    /// [`LedgerError::Db`]. A source that granted nothing has nothing taken back.
    pub async fn set_reversal_target(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        source_type: &str,
        source_id: &str,
        target: Credits,
    ) -> Result<Credits, LedgerError> {
        let Some(debt) = wallets::lock_debt(tx, user).await? else {
            return Ok(Credits(0));
        };
        let now = self.clock.now();
        let live = self.settle(tx, ctx, user, now).await?;
        let Some(own) = lots::of_source(tx, user, source_type, source_id).await? else {
            return Ok(Credits(0));
        };
        let target = target.0.clamp(0, own.granted);
        let applied = txns::revoked(tx, user, source_type, source_id).await?;
        let delta = target.saturating_sub(applied);
        let kind = if delta > 0 {
            TxnKind::Clawback
        } else {
            TxnKind::Reinstate
        };
        let posting = Posting {
            reference: Some((source_type.to_owned(), source_id.to_owned())),
            ..self.posting(ctx, user, kind, "payment_reversal", now)
        };
        if delta > 0 {
            claw(tx, posting, &own, live, delta);
        } else if delta < 0 {
            self.reinstate(tx, ctx, posting, &own, -delta, debt).await?;
        }
        Ok(Credits(delta))
    }

    /// Pays what is owed first, then fills the source's own lot. What does not fit there, because
    /// it was taken from others', gets a lot of its own.
    async fn reinstate(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        posting: Posting,
        own: &Lot,
        amount: i64,
        debt: i64,
    ) -> Result<(), LedgerError> {
        let repaid = debt.min(amount);
        let rest = amount.saturating_sub(repaid);
        let fitting = rest.min(own.granted.saturating_sub(own.remaining));
        let mut moves = Vec::new();
        if fitting > 0 {
            lots::reopen(tx, own.id).await?;
            moves.push(own.moved(fitting));
        }
        let (user, now) = (posting.user, posting.at);
        let beyond = rest.saturating_sub(fitting);
        if beyond > 0 {
            let grant = LotGrant {
                user,
                credits: Credits(beyond),
                kind: LotKind::Purchased,
                source_type: "reinstatement",
                source_id: posting.id.to_string(),
                reason: String::new(),
                expires_at: None,
            };
            let lot = self.clock.new_id();
            lots::insert(tx, lot, &grant, now).await?;
            moves.push(LotMove {
                lot,
                amount: beyond,
                held: 0,
                is_frozen: false,
            });
        }
        let posting = Posting {
            moves,
            debt: repaid.saturating_neg(),
            ..posting
        };
        txns::post(tx, posting);
        // The lot's time may be over.
        self.settle(tx, ctx, user, now).await?;
        Ok(())
    }

    /// Lets nothing be spent of what is left of this source, while its payment is disputed. What is
    /// held of it already may still be captured.
    ///
    /// # Errors
    /// [`LedgerError::Db`].
    pub async fn freeze(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        source_type: &str,
        source_id: &str,
    ) -> Result<(), LedgerError> {
        wallets::lock(tx, user);
        let now = self.clock.now();
        let live = self.settle(tx, ctx, user, now).await?;
        let own = lots::of_source(tx, user, source_type, source_id).await?;
        // Open and empty it is frozen too: something may be released into it.
        let Some(lot) = own.filter(|own| is_live(own, &live)) else {
            return Ok(());
        };
        lots::set_frozen(tx, lot.id, true).await?;
        wallets::freeze(tx, user, lot.free());
        Ok(())
    }

    /// Ends what [`Ledger::freeze`] began.
    ///
    /// # Errors
    /// [`LedgerError::Db`].
    pub async fn unfreeze(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        source_type: &str,
        source_id: &str,
    ) -> Result<(), LedgerError> {
        let Some(debt) = wallets::lock_debt(tx, user).await? else {
            return Ok(());
        };
        let own = lots::of_source(tx, user, source_type, source_id).await?;
        let Some(lot) = own.filter(|own| own.is_frozen) else {
            return Ok(());
        };
        lots::set_frozen(tx, lot.id, false).await?;
        wallets::freeze(tx, user, lot.free().saturating_neg());
        let now = self.clock.now();
        let live = self.settle(tx, ctx, user, now).await?;
        let repayment = holds::repayment(&live, debt);
        self.repay(tx, ctx, user, repayment, now);
        Ok(())
    }

    /// Ends the plan's credits now: the plan has ended, or a paid one takes the free one's place.
    ///
    /// # Errors
    /// [`LedgerError::Db`].
    pub async fn expire_included(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
    ) -> Result<(), LedgerError> {
        wallets::lock(tx, user);
        let now: DateTime<Utc> = self.clock.now();
        lots::end_included(tx, user, now).await?;
        self.settle(tx, ctx, user, now).await?;
        Ok(())
    }
}

/// Takes `amount` out of the source's own lot, then out of others that were bought; what is missing
/// is owed.
fn claw(tx: &mut Tx, posting: Posting, own: &Lot, live: Vec<Lot>, amount: i64) {
    let missing = |moves: &[LotMove]| moves.iter().fold(amount, |left, each| left + each.amount);
    let mut moves = allocation::take(vec![own.clone()], amount);
    let others = live
        .into_iter()
        .filter(|lot| lot.kind == LotKind::Purchased && lot.id != own.id);
    let more = allocation::take(others.collect(), missing(&moves));
    moves.extend(more);
    let posting = Posting {
        debt: missing(&moves),
        moves,
        ..posting
    };
    txns::post(tx, posting);
}

fn is_live(own: &Lot, live: &[Lot]) -> bool {
    // An open lot that is empty and never ends is not among those that are read.
    !own.is_frozen && (live.iter().any(|lot| lot.id == own.id) || own.expires_at.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_target_is_the_share_rounded_down(
            granted in 0_i64..=i64::MAX,
            paid in 1_i64..=i64::MAX,
            reversed in 0_i64..=i64::MAX,
            more in 0_i64..=i64::MAX,
        ) {
            let target = i128::from(reversal_target(Credits(granted), reversed, paid).0);
            let (granted_wide, paid_wide) = (i128::from(granted), i128::from(paid));
            let share = granted_wide * i128::from(reversed.min(paid));
            prop_assert!(target * paid_wide <= share && share < (target + 1) * paid_wide);
            prop_assert!((0..=granted_wide).contains(&target));
            let later = reversal_target(Credits(granted), reversed.saturating_add(more), paid);
            prop_assert!(i128::from(later.0) >= target, "more money back takes no less");
            if reversed >= paid {
                prop_assert_eq!(target, granted_wide);
            }
        }
    }

    #[test]
    fn nothing_paid_gives_nothing_to_take() {
        assert_eq!(reversal_target(Credits(10), 5, 0), Credits(0));
        assert_eq!(reversal_target(Credits(10), -5, 10), Credits(0));
        assert_eq!(reversal_target(Credits(100), 9_999, 29_900), Credits(33));
    }
}
