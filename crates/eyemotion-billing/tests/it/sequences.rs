//! Ten thousand random histories of a wallet, each step compared with a model in memory.

use crate::sequences::book::Book;
use crate::world::World;
use chrono::{DateTime, Duration, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use eyemotion_billing::Ledger;
use eyemotion_core::{Clock, Credits, Ctx, ManualClock, UserId};
use eyemotion_db::Tx;
use eyemotion_ports::{Capture, Charge, CreditKind, CreditLedger, Grant, Hold, LedgerError};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Arc;

mod book;

const SEQUENCES: usize = 10_000;
/// Histories in one transaction.
const CHUNK: usize = 25;
const TASKS: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    /// Kind, amount, and the hours it lasts.
    Grant(usize, i64, Option<i64>),
    Spend(i64),
    /// Amount, and the minutes it lasts.
    Hold(i64, i64),
    /// Which hold, and how much of it: none is all.
    Capture(usize, Option<i64>),
    Release(usize),
    Extend(usize, i64),
    /// Which grant, and how many of a hundred are taken back.
    Target(usize, i64),
    Freeze(usize),
    Unfreeze(usize),
    Wait(i64),
    /// An earlier keyed request again.
    Replay(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0_usize..6;
    prop_oneof![
        5 => (0_usize..3, 1_i64..60, prop::option::of(1_i64..30))
            .prop_map(|(kind, amount, hours)| Step::Grant(kind, amount, hours)),
        4 => (1_i64..60).prop_map(Step::Spend),
        5 => (1_i64..60, 1_i64..600).prop_map(|(amount, minutes)| Step::Hold(amount, minutes)),
        3 => (which.clone(), prop::option::of(1_i64..60))
            .prop_map(|(hold, amount)| Step::Capture(hold, amount)),
        2 => which.clone().prop_map(Step::Release),
        1 => (which.clone(), 1_i64..600).prop_map(|(hold, minutes)| Step::Extend(hold, minutes)),
        4 => (which.clone(), 0_i64..=110).prop_map(|(grant, share)| Step::Target(grant, share)),
        2 => which.clone().prop_map(Step::Freeze),
        2 => which.clone().prop_map(Step::Unfreeze),
        2 => (0_i64..900).prop_map(Step::Wait),
        2 => which.prop_map(Step::Replay),
    ]
}

/// A request under a key, and what it led to.
#[derive(Clone)]
enum Keyed {
    Grant(Grant),
    Spend(Charge),
    Hold(Hold),
    Capture(Capture),
}

/// One wallet of the database beside its model.
struct Player<'a> {
    tx: &'a mut Tx,
    ctx: &'a Ctx,
    user: UserId,
    clock: Arc<ManualClock>,
    ledger: Ledger,
    book: Book,
    granted: Vec<Grant>,
    done: Vec<(Keyed, Credits)>,
}

#[derive(QueryableByName)]
struct Sums {
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    debt: i64,
}

impl Player<'_> {
    async fn play(&mut self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            // Ids are made of the time, and older lots pay first.
            self.clock.advance(Duration::milliseconds(1));
            Box::pin(self.step(number, step)).await;
            let balance = self.ledger.balance(self.tx, self.user).await.unwrap();
            let now = self.clock.now();
            assert_eq!(balance.0, self.book.available(now), "{number}: {steps:?}");
        }
        let sums: Sums = diesel::sql_query(
            "select coalesce(sum(held), 0)::bigint as held, coalesce(sum(debt), 0)::bigint as debt
             from credit_wallets where user_id = $1",
        )
        .bind::<SqlUuid, _>(self.user.0)
        .get_result(self.tx)
        .await
        .unwrap();
        let expected = (self.book.held(), self.book.debt);
        assert_eq!((sums.held, sums.debt), expected, "{steps:?}");
    }

    async fn step(&mut self, number: usize, step: &Step) {
        let now = self.clock.now();
        let (user, ctx) = (self.user, self.ctx);
        match step {
            Step::Grant(kind, amount, hours) => {
                let kinds = [
                    CreditKind::Included,
                    CreditKind::Adjustment,
                    CreditKind::Purchased,
                ];
                let grant = Grant {
                    user,
                    credits: Credits(*amount),
                    kind: kinds[*kind],
                    source_type: "sequence",
                    source_id: format!("{user}:{number}"),
                };
                let balance = self.ledger.grant(self.tx, ctx, grant.clone()).await;
                let balance = balance.unwrap();
                let expires = hours.map(|hours| now + Duration::hours(hours));
                if let Some(expires) = expires {
                    self.limit(&grant.source_id, expires).await;
                }
                let expected = self.book.grant(now, *kind, *amount, expires);
                assert_eq!(balance.0, expected);
                self.granted.push(grant.clone());
                self.done.push((Keyed::Grant(grant), balance));
            }
            Step::Spend(amount) => {
                let spend = charge(user, *amount, number);
                let outcome = self.ledger.spend(self.tx, ctx, spend.clone()).await;
                let expected = self.book.spend(now, *amount);
                self.compare(Keyed::Spend(spend), outcome, expected);
            }
            Step::Hold(amount, minutes) => {
                let hold = Hold {
                    user,
                    credits: Credits(*amount),
                    action: "file_upload",
                    resource_type: "file",
                    resource_id: number.to_string(),
                    price: None,
                    expires_at: now + Duration::minutes(*minutes),
                    idempotency_key: self.book.holds.len().to_string(),
                };
                let outcome = self.ledger.hold(self.tx, ctx, hold.clone()).await;
                let expected = self.book.hold(now, *amount, hold.expires_at);
                self.compare(Keyed::Hold(hold), outcome, expected);
            }
            Step::Capture(hold, amount) => {
                let capture = Capture {
                    user,
                    hold: hold.to_string(),
                    credits: amount.map(Credits),
                    idempotency_key: number.to_string(),
                };
                let outcome = self.ledger.capture(self.tx, ctx, capture.clone()).await;
                let expected = self.book.capture(now, *hold, *amount);
                self.compare(Keyed::Capture(capture), outcome, expected);
            }
            Step::Release(hold) => {
                let name = hold.to_string();
                let outcome = self.ledger.release(self.tx, ctx, user, &name).await;
                let expected = self.book.release(now, *hold);
                assert_eq!(outcome.map(|balance| balance.0).map_err(describe), expected);
            }
            Step::Extend(hold, minutes) => {
                let (name, until) = (hold.to_string(), now + Duration::minutes(*minutes));
                let outcome = self.ledger.extend(self.tx, user, &name, until).await;
                let expected = self.book.extend(now, *hold, until);
                assert_eq!(outcome.map_err(describe), expected);
            }
            Step::Target(..) | Step::Freeze(_) | Step::Unfreeze(_) => self.reverse(step).await,
            Step::Wait(minutes) => self.clock.advance(Duration::minutes(*minutes)),
            Step::Replay(request) => self.replay(*request).await,
        }
    }

    async fn reverse(&mut self, step: &Step) {
        let (Step::Target(grant, _) | Step::Freeze(grant) | Step::Unfreeze(grant)) = step else {
            unreachable!("not about a grant")
        };
        let now = self.clock.now();
        let Some(source) = self.granted.get(*grant) else {
            return;
        };
        let (kind, id) = (source.source_type, source.source_id.as_str());
        let (ledger, tx, ctx, user) = (&self.ledger, &mut *self.tx, self.ctx, self.user);
        match step {
            Step::Target(_, share) => {
                let target = Credits(source.credits.0 * share / 100);
                let moved = ledger.set_reversal_target(tx, ctx, user, kind, id, target);
                let moved = moved.await.unwrap();
                assert_eq!(moved.0, self.book.target(now, *grant, target.0));
            }
            Step::Freeze(_) => {
                ledger.freeze(tx, ctx, user, kind, id).await.unwrap();
                self.book.freeze(now, *grant);
            }
            _ => {
                ledger.unfreeze(tx, ctx, user, kind, id).await.unwrap();
                self.book.unfreeze(now, *grant);
            }
        }
    }

    async fn replay(&mut self, request: usize) {
        let Some((keyed, balance)) = self.done.get(request).cloned() else {
            return;
        };
        let (ledger, tx, ctx) = (&self.ledger, &mut *self.tx, self.ctx);
        let again = match keyed {
            Keyed::Grant(grant) => ledger.grant(tx, ctx, grant).await,
            Keyed::Spend(charge) => ledger.spend(tx, ctx, charge).await,
            Keyed::Hold(hold) => ledger.hold(tx, ctx, hold).await,
            Keyed::Capture(capture) => ledger.capture(tx, ctx, capture).await,
        };
        assert_eq!(again.unwrap(), balance, "what the first one led to");
    }

    fn compare(
        &mut self,
        request: Keyed,
        outcome: Result<Credits, LedgerError>,
        expected: Result<i64, &'static str>,
    ) {
        if let Ok(balance) = &outcome {
            self.done.push((request, *balance));
        }
        assert_eq!(outcome.map(|balance| balance.0).map_err(describe), expected);
    }

    /// Lets a lot end.
    async fn limit(&mut self, source: &str, expires: DateTime<Utc>) {
        diesel::sql_query("update credit_lots set expires_at = $1 where source_id = $2")
            .bind::<Timestamptz, _>(expires)
            .bind::<diesel::sql_types::Text, _>(source)
            .execute(self.tx)
            .await
            .unwrap();
    }
}

fn charge(user: UserId, amount: i64, number: usize) -> Charge {
    Charge {
        user,
        credits: Credits(amount),
        action: "export",
        resource_type: "file",
        resource_id: number.to_string(),
        price: None,
        idempotency_key: format!("spend:{number}"),
    }
}

fn describe(error: LedgerError) -> &'static str {
    match error {
        LedgerError::Insufficient { .. } => "insufficient",
        LedgerError::HoldNotFound => "not found",
        LedgerError::AlreadyCaptured => "captured",
        LedgerError::AlreadyReleased => "released",
        LedgerError::HoldExpired => "expired",
        LedgerError::BeyondHold { .. } => "beyond",
        other => panic!("{other:?}"),
    }
}

async fn chunk(world: &World, histories: &[Vec<Step>]) {
    let people = world.strangers(histories.len()).await;
    let ctx = Ctx::system("test");
    let mut tx = world.db.begin(&ctx).await.unwrap();
    for (user, steps) in people.iter().zip(histories) {
        let clock = Arc::new(ManualClock::at(world.clock.now()));
        let mut player = Player {
            tx: &mut tx,
            ctx: &ctx,
            user: *user,
            ledger: Ledger::new(clock.clone()),
            clock,
            book: Book::default(),
            granted: Vec::new(),
            done: Vec::new(),
        };
        player.play(steps).await;
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_histories_agree_with_the_model() {
    let world = World::new().await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let history = prop::collection::vec(step(), 2..10);
    let histories: Vec<Vec<Step>> = (0..SEQUENCES)
        .map(|number| {
            // Without credits not much can happen.
            let mut steps = vec![Step::Grant(number % 3, 50, None)];
            steps.extend(history.new_tree(&mut runner).unwrap().current());
            steps
        })
        .collect();
    let chunks: Vec<_> = histories.chunks(CHUNK).collect();
    let tasks = (0..TASKS).map(|task| {
        let (world, chunks) = (&world, &chunks);
        async move {
            for histories in chunks.iter().skip(task).step_by(TASKS) {
                chunk(world, histories).await;
            }
        }
    });
    join_all(tasks).await;
    let wallets = world.count("select count(*) from credit_wallets").await;
    assert_eq!(wallets, 10_000);
    world.assert_sound().await;
}
