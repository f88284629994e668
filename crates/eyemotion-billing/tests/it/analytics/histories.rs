//! Random histories against a model that has nothing but a list of changes.

use crate::analytics::story::{Story, day};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use eyemotion_billing::Analytics;
use eyemotion_core::{Ctx, Ratio};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::HashMap;
use uuid::Uuid;

const PEOPLE: usize = 6;
const CURRENCIES: [&str; 2] = ["THB", "USD"];
/// Interval, count, and the months that it lasts, as a fraction.
const INTERVALS: [(&str, i32, (i64, i64)); 5] = [
    ("month", 1, (1, 1)),
    ("year", 1, (12, 1)),
    ("week", 1, (12, 52)),
    ("month", 3, (3, 1)),
    ("week", 2, (24, 52)),
];

/// What becomes of one person's subscription.
#[derive(Clone, Debug)]
struct Change {
    person: usize,
    /// After the last one.
    hours: i64,
    status: &'static str,
    plan: &'static str,
    amount: i64,
    interval: usize,
    currency: usize,
}

fn change() -> impl Strategy<Value = Change> {
    let status = prop::sample::select(vec![
        "active",
        "active",
        "active",
        "trialing",
        "past_due",
        "cancelled",
    ]);
    let plan = prop::sample::select(vec!["creator", "pro", "studio"]);
    (
        0..PEOPLE,
        0_i64..90,
        status,
        plan,
        0_i64..5,
        0..INTERVALS.len(),
        0_usize..8,
    )
        .prop_map(
            |(person, hours, status, plan, amount, interval, currency)| Change {
                person,
                hours,
                status,
                plan,
                amount: amount * 9_999,
                interval,
                currency: usize::from(currency == 0),
            },
        )
}

impl Change {
    fn mrr(&self) -> Ratio {
        let (months, parts) = INTERVALS[self.interval].2;
        let pays = matches!(self.status, "active" | "past_due");
        Ratio::new(if pays { self.amount * parts } else { 0 }, months).unwrap()
    }
}

async fn play(story: &Story, changes: &[Change]) {
    let clean = "set session_replication_role = replica;
        delete from subscription_history; delete from subscription_mrr_daily; delete from mrr_daily;
        delete from analytics_state; delete from subscriptions;
        set session_replication_role = origin";
    story.world.superuser.batch_execute(clean).await.unwrap();
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push(story.world.stranger().await);
    }
    let mut live: HashMap<usize, Uuid> = HashMap::new();
    let mut told: Vec<(DateTime<Utc>, &Change)> = Vec::new();
    let mut at = super::story::moment("2027-01-01T00:00:00+07:00");
    let ctx = Ctx::system("test");
    for (number, change) in changes.iter().enumerate() {
        at += TimeDelta::hours(change.hours);
        let moment = at.to_rfc3339();
        let (unit, count, _) = INTERVALS[change.interval];
        let currency = CURRENCIES[change.currency];
        if let Some(id) = live.get(&change.person) {
            story
                .moves_to(*id, change.plan, change.amount, &moment)
                .await;
            let set = format!(
                "status = '{}', recurring_interval = '{unit}', recurring_interval_count = {count}, recurring_currency = '{currency}'",
                change.status
            );
            story.changes(*id, &set, &moment).await;
        } else if change.status != "cancelled" {
            let price = (change.amount, unit, count, currency);
            let id = story
                .begins(
                    people[change.person],
                    change.plan,
                    change.status,
                    price,
                    &moment,
                )
                .await;
            live.insert(change.person, id);
        } else {
            continue;
        }
        if change.status == "cancelled" {
            live.remove(&change.person);
        }
        told.push((at, change));
        if number % 7 == 6 {
            story.analytics.refresh(&ctx).await.unwrap();
            story.grows_old().await;
        }
    }
    check(story, &told).await;
}

/// Monthly recurring revenue when a day is over, by the list.
fn model(told: &[(DateTime<Utc>, &Change)], day: NaiveDate, currency: usize) -> Ratio {
    let zone = chrono::FixedOffset::east_opt(7 * 3600).unwrap();
    let mut last: HashMap<usize, &Change> = HashMap::new();
    for (at, change) in told {
        if at.with_timezone(&zone).date_naive() <= day {
            last.insert(change.person, change);
        }
    }
    let of = last.values().filter(|change| change.currency == currency);
    of.fold(Ratio::ZERO, |sum, change| sum + change.mrr())
}

async fn check(story: &Story, told: &[(DateTime<Utc>, &Change)]) {
    let ctx = Ctx::system("test");
    story.analytics.refresh(&ctx).await.unwrap();
    let (from, to) = (day("2027-01-01"), day("2027-07-01"));
    let mut ends = HashMap::new();
    for each in story.analytics.roll_forward(&ctx, from, to).await.unwrap() {
        assert!(each.holds(), "{each:?}");
        ends.insert((each.day, each.currency), each.end);
    }
    for day in from.iter_days().take_while(|day| *day <= to) {
        for (number, currency) in CURRENCIES.iter().enumerate() {
            let end = ends.get(&(day, (*currency).to_owned())).copied();
            let expected = model(told, day, number);
            assert_eq!(end.unwrap_or(Ratio::ZERO), expected, "{day} {currency}");
        }
    }
    let made = story.days().await;
    story
        .analytics
        .rebuild(&ctx, from - Days::new(40), to)
        .await
        .unwrap();
    assert_eq!(story.days().await, made);
}

#[test]
fn any_history_rolls_forward_to_the_satang() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let story = runtime.block_on(Story::at("2027-07-01T12:00:00+07:00", 100));
    let config = Config {
        cases: 25,
        failure_persistence: None,
        max_shrink_iters: 50,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(change(), 1..40), |changes| {
            runtime.block_on(play(&story, &changes));
            Ok(())
        })
        .unwrap();
    runtime.block_on(async move { drop(story) });
}
