//! Random histories, followed step by step by a model that fits on a page.

use crate::world::{World, as_user, charge, purchase};
use chrono::{DateTime, Duration, Months, Utc};
use eyemotion_billing::Billing;
use eyemotion_core::{Clock, Credits, Ctx, UserId};
use eyemotion_ports::LedgerError;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[derive(Clone, Debug)]
enum Step {
    Spend(i64),
    /// Repeats an earlier charge, by its number.
    Repeat(usize),
    Buy(i64),
    Wait(i64),
    Renew,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_i64..80).prop_map(Step::Spend),
        2 => (0_usize..40).prop_map(Step::Repeat),
        2 => (1_i64..60).prop_map(Step::Buy),
        2 => (0_i64..25).prop_map(Step::Wait),
        1 => Just(Step::Renew),
    ]
}

/// Included credits until a moment, others for ever.
struct Model {
    anchor: DateTime<Utc>,
    period_end: DateTime<Utc>,
    included: i64,
    bought: i64,
    /// What each charge that went through was for and led to.
    charges: Vec<(i64, i64)>,
}

impl Model {
    fn new(now: DateTime<Utc>) -> Self {
        let period_end = now + Months::new(1);
        Self {
            anchor: now,
            period_end,
            included: 100,
            bought: 0,
            charges: Vec::new(),
        }
    }

    fn included(&self, now: DateTime<Utc>) -> i64 {
        if now < self.period_end {
            self.included
        } else {
            0
        }
    }

    fn balance(&self, now: DateTime<Utc>) -> i64 {
        self.included(now) + self.bought
    }

    fn renew(&mut self, now: DateTime<Utc>) {
        if now >= self.period_end {
            self.included = 100;
            let ends = (1..).map(|months| self.anchor + Months::new(months));
            self.period_end = ends.into_iter().find(|end| *end > now).unwrap();
        }
    }

    /// The balance afterwards, or before if it is too low.
    fn spend(&mut self, now: DateTime<Utc>, amount: i64) -> Result<i64, i64> {
        if self.balance(now) < amount {
            self.renew(now);
        }
        let before = self.balance(now);
        if before < amount {
            return Err(before);
        }
        let included = self.included(now).min(amount);
        self.included -= included;
        self.bought -= amount - included;
        self.charges.push((amount, before - amount));
        Ok(before - amount)
    }
}

async fn play(world: &World, user: UserId, steps: &[Step]) {
    let mut model = Model::new(world.clock.now());
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Spend(amount) => {
                let key = model.charges.len();
                let expected = model.spend(world.clock.now(), *amount);
                match (world.spend(charge(user, *amount, key)).await, expected) {
                    (Ok(balance), Ok(expected)) => assert_eq!(balance, Credits(expected)),
                    (Err(LedgerError::Insufficient { needed, available }), Err(expected)) => {
                        assert_eq!((needed.0, available.0), (*amount, expected));
                    }
                    (outcome, expected) => panic!("{outcome:?}, expected {expected:?}"),
                }
            }
            Step::Repeat(charges_back) => {
                let Some((amount, balance)) = model.charges.get(*charges_back).copied() else {
                    continue;
                };
                let again = world
                    .spend(charge(user, amount, charges_back))
                    .await
                    .unwrap();
                assert_eq!(again, Credits(balance));
            }
            Step::Buy(amount) => {
                let source = format!("{user}:{number}");
                let balance = world.grant(purchase(user, *amount, &source)).await.unwrap();
                model.bought += amount;
                assert_eq!(balance.0, model.balance(world.clock.now()));
            }
            Step::Wait(days) => world.clock.advance(Duration::days(*days)),
            Step::Renew => {
                let round = world
                    .subscriptions
                    .renew_due(&Ctx::system("test"))
                    .await
                    .unwrap();
                assert_eq!(round.failed, 0);
                model.renew(world.clock.now());
            }
        }
        let now = world.clock.now();
        let credits = world.billing.credits(&as_user(user)).await.unwrap();
        assert_eq!(
            credits.balance.0,
            model.balance(now),
            "after step {number}, {step:?}"
        );
        assert_eq!(
            credits.extra.0, model.bought,
            "after step {number}, {step:?}"
        );
        assert_eq!(credits.included.0 - credits.used.0, model.included(now));
    }
    world.assert_sound().await;
}

#[test]
fn any_history_leaves_sound_books() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // A database a second old is as good as a new one: each history has a person of its own.
    let world = runtime.block_on(World::new());
    let config = Config {
        cases: 20,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..50), |steps| {
            runtime.block_on(async {
                let user = world.registered().await;
                // The whole world's money is compared; a panic fails and shrinks the case.
                play(&world, user, &steps).await;
            });
            Ok(())
        })
        .unwrap();
    runtime.block_on(async move { drop(world) });
}
