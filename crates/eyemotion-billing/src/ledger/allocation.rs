//! Which lots pay.

use crate::model::LotKind;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Credits that came together: of one kind, from one source, with one expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lot {
    pub id: Uuid,
    pub kind: LotKind,
    pub granted: i64,
    pub remaining: i64,
    pub held: i64,
    pub expires_at: Option<DateTime<Utc>>,
    /// Its source is disputed: what is free of it cannot be spent.
    pub is_frozen: bool,
}

impl Lot {
    /// What can be spent of it.
    pub(crate) const fn free(&self) -> i64 {
        self.remaining.saturating_sub(self.held)
    }

    pub(crate) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Credits into it, or out of it if negative.
    pub(crate) const fn moved(&self, amount: i64) -> LotMove {
        LotMove {
            lot: self.id,
            amount,
            held: 0,
            is_frozen: self.is_frozen,
        }
    }
}

/// What a transaction does to a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LotMove {
    pub lot: Uuid,
    /// Credits into it, or out of it if negative.
    pub amount: i64,
    /// By how much more of it is held.
    pub held: i64,
    pub is_frozen: bool,
}

/// What can be spent of all `lots`.
pub(crate) fn available(lots: &[Lot]) -> i64 {
    lots.iter().map(Lot::free).fold(0, i64::saturating_add)
}

/// Takes `amount` out of `lots`, or as much as they hold: what expires first, then by kind, then
/// the oldest.
pub(crate) fn take(mut lots: Vec<Lot>, amount: i64) -> Vec<LotMove> {
    lots.sort_by_key(spend_order);
    let mut missing = amount;
    let mut moves = Vec::new();
    for lot in lots {
        let taken = lot.free().min(missing);
        if taken > 0 {
            moves.push(lot.moved(-taken));
            missing -= taken;
        }
    }
    moves
}

/// Smaller pays first.
pub(crate) fn spend_order(lot: &Lot) -> impl Ord + use<> {
    (lot.expires_at.is_none(), lot.expires_at, lot.kind, lot.id)
}

/// What `lots` are after `moves`.
pub(crate) fn apply(lots: &mut [Lot], moves: &[LotMove]) {
    for lot in lots {
        for each in moves.iter().filter(|each| each.lot == lot.id) {
            lot.remaining = lot.remaining.saturating_add(each.amount);
            lot.held = lot.held.saturating_add(each.held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lot(id: u128, kind: LotKind, remaining: i64, expires: Option<i64>) -> Lot {
        Lot {
            id: Uuid::from_u128(id),
            kind,
            granted: 100,
            remaining,
            held: 0,
            expires_at: expires.map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap()),
            is_frozen: false,
        }
    }

    #[test]
    fn spends_by_expiry_then_kind_then_age() {
        let lots = vec![
            lot(1, LotKind::Purchased, 10, None),
            lot(2, LotKind::Adjustment, 10, None),
            lot(7, LotKind::Bonus, 10, None),
            lot(3, LotKind::Purchased, 10, Some(50)),
            lot(5, LotKind::Included, 10, Some(90)),
            lot(4, LotKind::Trial, 10, Some(90)),
            lot(6, LotKind::Bonus, 10, None),
        ];
        let moves = take(lots, 65);
        let order: Vec<_> = moves.iter().map(|m| (m.lot.as_u128(), m.amount)).collect();
        assert_eq!(
            order,
            [
                (3, -10),
                (5, -10),
                (4, -10),
                (6, -10),
                (7, -10),
                (2, -10),
                (1, -5)
            ]
        );
    }

    #[test]
    fn leaves_what_is_held_alone() {
        let mut held = lot(1, LotKind::Included, 10, None);
        held.held = 7;
        let all_of_it = held.moved(-3);
        assert_eq!(take(vec![held.clone()], 4), [all_of_it]);
        assert_eq!(take(vec![held.clone()], 2), [held.moved(-2)]);
    }

    proptest! {
        #[test]
        fn takes_what_is_wanted_or_all_there_is(
            lots in prop::collection::vec((1_i64..100, 0_i64..100), 0..8),
            amount in 1_i64..400,
        ) {
            let lots: Vec<Lot> = (0..).zip(&lots)
                .map(|(id, (remaining, held))| {
                    let held = (*held).min(*remaining);
                    Lot { held, ..lot(id, LotKind::Bonus, *remaining, None) }
                })
                .collect();
            let free = available(&lots);
            let moves = take(lots.clone(), amount);
            prop_assert_eq!(-moves.iter().map(|m| m.amount).sum::<i64>(), amount.min(free));
            for m in moves {
                let lot = lots.iter().find(|lot| lot.id == m.lot).unwrap();
                prop_assert!(m.amount < 0 && -m.amount <= lot.free());
            }
        }
    }
}
