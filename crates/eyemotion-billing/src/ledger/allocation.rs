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
}

impl Lot {
    /// What can be spent of it.
    pub(crate) const fn free(&self) -> i64 {
        self.remaining.saturating_sub(self.held)
    }

    pub(crate) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Credits moved into a lot, or out of it if negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LotMove {
    pub lot: Uuid,
    pub amount: i64,
}

/// What can be spent of all `lots`.
pub(crate) fn available(lots: &[Lot]) -> i64 {
    lots.iter().map(Lot::free).fold(0, i64::saturating_add)
}

/// Takes `amount` out of `lots`: what expires first, then by kind, then the oldest. None if they
/// do not hold as much.
pub(crate) fn take(mut lots: Vec<Lot>, amount: i64) -> Option<Vec<LotMove>> {
    lots.sort_by_key(|lot| (lot.expires_at.is_none(), lot.expires_at, lot.kind, lot.id));
    let mut missing = amount;
    let mut moves = Vec::new();
    for lot in lots {
        let taken = lot.free().min(missing);
        if taken > 0 {
            moves.push(LotMove {
                lot: lot.id,
                amount: -taken,
            });
            missing -= taken;
        }
    }
    (missing == 0).then_some(moves)
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
        let moves = take(lots, 65).unwrap();
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
        assert_eq!(take(vec![held.clone()], 4), None);
        assert_eq!(
            take(vec![held], 3).unwrap(),
            [LotMove {
                lot: Uuid::from_u128(1),
                amount: -3
            }]
        );
    }

    proptest! {
        #[test]
        fn takes_all_or_nothing(
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
            match take(lots.clone(), amount) {
                None => prop_assert!(free < amount),
                Some(moves) => {
                    prop_assert_eq!(-moves.iter().map(|m| m.amount).sum::<i64>(), amount);
                    for m in moves {
                        let lot = lots.iter().find(|lot| lot.id == m.lot).unwrap();
                        prop_assert!(m.amount < 0 && -m.amount <= lot.free());
                    }
                }
            }
        }
    }
}
