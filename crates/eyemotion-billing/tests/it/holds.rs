//! Credits set aside: taken, given back, or over, once.

use crate::world::{World, as_user, charge, purchase};
use chrono::{DateTime, Duration, Utc};
use eyemotion_billing::{Expired, OverdueHolds};
use eyemotion_core::{Clock, Coded, Credits, Ctx, ErrorCode, UserId};
use eyemotion_ports::{Capture, CreditLedger, Hold, LedgerError};
use futures_util::future::join_all;

pub fn hold(user: UserId, credits: i64, name: &str, expires_at: DateTime<Utc>) -> Hold {
    Hold {
        user,
        credits: Credits(credits),
        action: "file_upload",
        resource_type: "file",
        resource_id: name.to_owned(),
        price: None,
        expires_at,
        idempotency_key: name.to_owned(),
    }
}

impl World {
    async fn hold(&self, user: UserId, credits: i64, name: &str) -> Result<Credits, LedgerError> {
        let hold = hold(user, credits, name, self.clock.now() + Duration::hours(1));
        let ctx = as_user(user);
        let mut tx = self.db.begin_for(&ctx).await?;
        let balance = self.ledger.hold(&mut tx, &ctx, hold).await?;
        tx.commit().await?;
        Ok(balance)
    }

    async fn capture(
        &self,
        user: UserId,
        name: &str,
        credits: Option<i64>,
        key: &str,
    ) -> Result<Credits, LedgerError> {
        let capture = Capture {
            user,
            hold: name.to_owned(),
            credits: credits.map(Credits),
            idempotency_key: key.to_owned(),
        };
        let ctx = as_user(user);
        let mut tx = self.db.begin_for(&ctx).await?;
        let balance = self.ledger.capture(&mut tx, &ctx, capture).await?;
        tx.commit().await?;
        Ok(balance)
    }

    async fn release(&self, user: UserId, name: &str) -> Result<Credits, LedgerError> {
        let ctx = as_user(user);
        let mut tx = self.db.begin_for(&ctx).await?;
        let balance = self.ledger.release(&mut tx, &ctx, user, name).await?;
        tx.commit().await?;
        Ok(balance)
    }

    async fn entries(&self, kind: &str) -> String {
        let sql = "select string_agg(regexp_replace(account, 'user:.*:', '') || ' ' || amount, ', ' order by seq)
            from credit_entries e join credit_txns t on t.id = e.txn_id where t.kind = $1";
        self.superuser
            .query_one(sql, &[&kind])
            .await
            .unwrap()
            .get(0)
    }

    async fn expire_holds(&self) -> Expired {
        let holds = OverdueHolds::new(self.db.clone(), self.clock.clone());
        holds.expire(&Ctx::system("test")).await.unwrap()
    }
}

#[tokio::test]
async fn a_part_is_captured_and_the_rest_comes_back_in_the_same_transaction() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    assert_eq!(world.hold(user, 60, "h").await.unwrap(), Credits(40));
    assert_eq!(world.entries("hold").await, "available -60, held 60");
    assert_eq!(world.balance(user).await, 40);
    let error = world.spend(charge(user, 41, "too much")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InsufficientCredits);
    world.assert_sound().await;

    let error = world.capture(user, "h", Some(61), "c").await.unwrap_err();
    assert!(matches!(error, LedgerError::BeyondHold { .. }), "{error:?}");
    let balance = world.capture(user, "h", Some(25), "c").await.unwrap();
    assert_eq!(balance, Credits(75));
    assert_eq!(
        world.entries("capture").await,
        "available 35, held -60, system:consumed 25"
    );
    let usage = world.billing_usage(user).await;
    assert_eq!(usage, [("file_upload".to_owned(), 25)]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_hold_ends_once_and_says_how() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    for (name, by_capture) in [("captured", true), ("released", false)] {
        world.hold(user, 10, name).await.unwrap();
        if by_capture {
            world.capture(user, name, None, name).await.unwrap();
        } else {
            world.release(user, name).await.unwrap();
        }
        let outcomes = [
            world.capture(user, name, None, "again").await.unwrap_err(),
            world.release(user, name).await.unwrap_err(),
        ];
        for error in outcomes {
            assert_eq!(
                matches!(error, LedgerError::AlreadyCaptured),
                by_capture,
                "{error:?}"
            );
            assert_eq!(
                matches!(error, LedgerError::AlreadyReleased),
                !by_capture,
                "{error:?}"
            );
            assert_eq!(error.code(), ErrorCode::HoldResolved);
        }
    }
    // The same request again is not another one.
    let balance = world
        .capture(user, "captured", None, "captured")
        .await
        .unwrap();
    assert_eq!(balance, Credits(90));
    assert_eq!(world.hold(user, 10, "captured").await.unwrap(), Credits(90));
    let error = world.hold(user, 11, "captured").await.unwrap_err();
    assert!(matches!(error, LedgerError::KeyReused), "{error:?}");
    let error = world.release(user, "never placed").await.unwrap_err();
    assert!(matches!(error, LedgerError::HoldNotFound), "{error:?}");
    assert_eq!(world.balance(user).await, 90);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_overdue_cannot_be_captured_and_comes_back() {
    let world = World::new().await;
    let (user, other) = (world.buyer(100).await, world.buyer(100).await);
    world.hold(user, 90, "h").await.unwrap();
    world.hold(other, 90, "h").await.unwrap();
    assert_eq!(world.expire_holds().await, Expired::default());
    world.clock.advance(Duration::hours(1));
    let error = world.capture(user, "h", None, "late").await.unwrap_err();
    assert!(matches!(error, LedgerError::HoldExpired), "{error:?}");
    // Whoever needs the credits does not wait for the job.
    assert_eq!(world.spend(charge(user, 50, 1)).await.unwrap(), Credits(50));
    assert_eq!(world.balance(other).await, 10);
    let round = world.expire_holds().await;
    assert_eq!((round.expired, round.failed), (1, 0));
    assert_eq!(world.balance(other).await, 100);
    let error = world.release(other, "h").await.unwrap_err();
    assert!(matches!(error, LedgerError::HoldExpired), "{error:?}");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_heartbeat_keeps_a_hold_alive_and_never_shortens_it() {
    let world = World::new().await;
    let user = world.buyer(10).await;
    world.hold(user, 10, "h").await.unwrap();
    let extend = async |hours: i64| {
        let until = world.clock.now() + Duration::hours(hours);
        let mut tx = world.db.begin_for(&as_user(user)).await.unwrap();
        let outcome = world.ledger.extend(&mut tx, user, "h", until).await;
        tx.commit().await.unwrap();
        outcome
    };
    extend(3).await.unwrap();
    extend(2).await.unwrap();
    world.clock.advance(Duration::minutes(170));
    assert_eq!(world.expire_holds().await.expired, 0);
    world.clock.advance(Duration::minutes(10));
    let error = extend(1).await.unwrap_err();
    assert!(matches!(error, LedgerError::HoldExpired), "{error:?}");
    assert_eq!(world.expire_holds().await.expired, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn credits_whose_lot_has_ended_meanwhile_end_with_the_release() {
    let world = World::new().await;
    // 100 included until the end of the month.
    let user = world.registered().await;
    world.grant(purchase(user, 20, "bought")).await.unwrap();
    let next_month = world.clock.now() + Duration::days(40);
    let ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let long = hold(user, 110, "h", next_month);
    world.ledger.hold(&mut tx, &ctx, long).await.unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(Duration::days(33));
    assert_eq!(world.balance(user).await, 10);
    assert_eq!(world.release(user, "h").await.unwrap(), Credits(20));
    let expired = "select sum(amount)::bigint from credit_entries where account = 'system:expired'";
    assert_eq!(world.count(expired).await, 100);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_hold_and_spend_nobody_overdraws() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    let outcomes = join_all((0..64).map(|task| {
        let world = &world;
        async move {
            if task % 2 == 0 {
                world.hold(user, 7, &format!("hold {task}")).await
            } else {
                world.spend(charge(user, 7, task)).await
            }
        }
    }))
    .await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(done, 14, "floor(100 / 7)");
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_end_one_hold_one_does() {
    let world = World::new().await;
    let user = world.buyer(100).await;
    world.hold(user, 60, "h").await.unwrap();
    let outcomes = join_all((0..20).map(|task| {
        let (world, key) = (&world, task.to_string());
        async move {
            match task % 2 {
                0 => world.capture(user, "h", Some(30), &key).await,
                _ => world.release(user, "h").await,
            }
        }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let left = world.balance(user).await;
    assert!([70, 100].contains(&left), "{left}");
    world.assert_sound().await;
}

#[tokio::test]
async fn nobody_holds_in_somebody_elses_transaction() {
    let world = World::new().await;
    let (user, other) = (world.buyer(10).await, world.buyer(10).await);
    let ctx = as_user(user);
    let mut tx = world.db.begin_for(&ctx).await.unwrap();
    let until = world.clock.now() + Duration::hours(1);
    let outcome = world
        .ledger
        .hold(&mut tx, &ctx, hold(other, 1, "h", until))
        .await;
    assert!(matches!(outcome, Err(LedgerError::Insufficient { .. })));
    drop(tx);
    assert_eq!(world.balance(other).await, 10);
}
