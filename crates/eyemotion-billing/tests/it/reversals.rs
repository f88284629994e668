//! What reversed payments take back.

use crate::world::{World, as_user, charge, purchase};
use chrono::Duration;
use eyemotion_billing::reversal_target;
use eyemotion_core::{Clock, Credits, Ctx, UserId};
use eyemotion_ports::{CreditLedger, LedgerError};

const SOURCE: &str = "test_order";
/// Satang for a thousand credits.
const PAID: i64 = 50_000;

impl World {
    async fn target(&self, user: UserId, id: &str, target: Credits) -> Credits {
        let ctx = Ctx::system("test");
        let mut tx = self.db.begin(&ctx).await.unwrap();
        let moved = self
            .ledger
            .set_reversal_target(&mut tx, &ctx, user, SOURCE, id, target)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        moved
    }

    async fn set_frozen(&self, user: UserId, id: &str, frozen: bool) {
        let ctx = Ctx::system("test");
        let (ledger, mut tx) = (&self.ledger, self.db.begin(&ctx).await.unwrap());
        if frozen {
            ledger.freeze(&mut tx, &ctx, user, SOURCE, id).await
        } else {
            ledger.unfreeze(&mut tx, &ctx, user, SOURCE, id).await
        }
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn debt(&self, user: UserId) -> i64 {
        let sql = format!("select debt from credit_wallets where user_id = '{user}'");
        self.count(&sql).await
    }
}

/// Every order in which refund and dispute may come, whatever was spent before: what is left is what
/// one formula says.
#[tokio::test]
async fn refunds_disputes_and_spending_come_to_the_formula() {
    let world = World::new().await;
    for spent in [0, 1, 333, 999, 1000] {
        for refunded in [0, 1, 16_667, 25_000, PAID] {
            for disputed in [0, 25_000, PAID] {
                for won in [false, true] {
                    let user = world.buyer(1000).await;
                    let id = user.to_string();
                    if spent > 0 {
                        world.spend(charge(user, spent, "before")).await.unwrap();
                    }
                    let granted = Credits(1000);
                    let at = |reversed| reversal_target(granted, reversed, PAID);
                    let refund = at(refunded);
                    assert_eq!(world.target(user, &id, refund).await, refund);
                    world.set_frozen(user, &id, true).await;
                    let both = at(refunded + disputed);
                    world.target(user, &id, both).await;
                    let finally = if won { refunded } else { refunded + disputed };
                    world.target(user, &id, at(finally)).await;
                    world.set_frozen(user, &id, false).await;
                    // A second telling changes nothing.
                    assert_eq!(world.target(user, &id, at(finally)).await, Credits(0));

                    let taken = 1000 * finally.min(PAID) / PAID;
                    let left = 1000 - spent - taken;
                    let case = format!("{spent} {refunded} {disputed} {won}");
                    assert_eq!(world.balance(user).await, left.max(0), "{case}");
                    assert_eq!(world.debt(user).await, (-left).max(0), "{case}");
                }
            }
        }
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_missing_comes_from_other_bought_credits_and_then_from_the_next() {
    let world = World::new().await;
    let user = world.registered().await;
    world.grant(purchase(user, 50, "first")).await.unwrap();
    world.grant(purchase(user, 30, "second")).await.unwrap();
    // The included 100, and 40 of the first.
    world.spend(charge(user, 140, 1)).await.unwrap();
    assert_eq!(world.target(user, "first", Credits(50)).await, Credits(50));
    assert_eq!((world.balance(user).await, world.debt(user).await), (0, 10));
    let error = world.spend(charge(user, 1, 2)).await.unwrap_err();
    assert!(matches!(
        error,
        LedgerError::Insufficient {
            available: Credits(0),
            ..
        }
    ));
    // The next grant pays, whatever it is for.
    let balance = world.grant(purchase(user, 25, "third")).await.unwrap();
    assert_eq!((balance, world.debt(user).await), (Credits(15), 0));
    world.assert_sound().await;
    // The refund of the first did not go through: all of it is back.
    assert_eq!(world.target(user, "first", Credits(0)).await, Credits(-50));
    assert_eq!(world.balance(user).await, 65);
    assert_eq!(world.target(user, "nothing", Credits(5)).await, Credits(0));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_held_is_left_until_it_is_free() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    let id = user.to_string();
    let ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let hold = crate::holds::hold(user, 60, "h", world.clock.now() + Duration::days(1));
    world.ledger.hold(&mut tx, &ctx, hold).await.unwrap();
    tx.commit().await.unwrap();
    world.target(user, &id, Credits(100)).await;
    assert_eq!((world.balance(user).await, world.debt(user).await), (0, 60));
    world.assert_sound().await;
    // Giving it back pays what is owed: a hold around the refund saves nothing.
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    world
        .ledger
        .release(&mut tx, &ctx, user, "h")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!((world.balance(user).await, world.debt(user).await), (0, 0));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_frozen_lot_pays_for_nothing_until_it_is_open_again() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    let id = user.to_string();
    world.grant(purchase(user, 5, "other")).await.unwrap();
    world.set_frozen(user, &id, true).await;
    world.set_frozen(user, &id, true).await;
    assert_eq!(world.balance(user).await, 5);
    assert!(world.spend(charge(user, 6, 1)).await.is_err());
    world.assert_sound().await;
    world.set_frozen(user, &id, false).await;
    world.set_frozen(user, &id, false).await;
    assert_eq!(world.spend(charge(user, 6, 1)).await.unwrap(), Credits(99));
    world.assert_sound().await;
}

#[tokio::test]
async fn the_plans_credits_end_with_the_plan() {
    let world = World::new().await;
    let user = world.registered().await;
    world.grant(purchase(user, 5, "bought")).await.unwrap();
    let ctx = Ctx::system("test");
    for _ in 0..2 {
        let mut tx = world.db.begin(&ctx).await.unwrap();
        let ended = world.ledger.expire_included(&mut tx, &ctx, user).await;
        ended.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.balance(user).await, 5);
    }
    world.assert_sound().await;
}
