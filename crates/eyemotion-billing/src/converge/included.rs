//! Which credits a paid invoice brings.

use crate::model::Plan;
use crate::period::Period;
use chrono::{DateTime, SecondsFormat, Utc};
use eyemotion_core::Credits;
use uuid::Uuid;

/// The credits of a whole period come under this name,
pub(crate) const PERIOD: &str = "subscription_period";
/// those of a larger plan in the middle of one under this,
pub(crate) const UPGRADE: &str = "subscription_upgrade";
/// and those of a trial under this.
pub(crate) const TRIAL: &str = "subscription_trial";

/// A line of a paid invoice that is about a plan.
#[derive(Clone, Debug)]
pub(crate) struct PlanLine {
    pub plan: Plan,
    pub period: Period,
    /// For a part of a period, because the plan was changed in its middle.
    pub is_proration: bool,
    /// Below zero: given back for the plan before.
    pub amount: i64,
}

/// Credits that an invoice brings, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Included {
    pub source_type: &'static str,
    pub source_id: String,
    pub credits: Credits,
    /// The period that they belong to.
    pub period: Period,
    pub plan: Uuid,
    /// The most that this plan gives in one period, whatever came before.
    pub most: Credits,
}

/// How the books name a period of a subscription; what is granted for it begins so.
pub(crate) fn period_name(subscription: Uuid, start: DateTime<Utc>) -> String {
    let start = start.to_rfc3339_opts(SecondsFormat::Micros, true);
    format!("{subscription}:{start}")
}

/// What a paid invoice of `lines` brings to our `subscription`. A whole period brings all of the
/// plan's credits; a larger plan in its middle the difference to the smaller one, for the share of
/// `whole` (the period around a moment) that is left, rounded down. A smaller one brings nothing.
pub(crate) fn included(
    subscription: Uuid,
    lines: &[PlanLine],
    trial: Option<Period>,
    whole: impl Fn(DateTime<Utc>) -> Period,
) -> Option<Included> {
    let full = lines
        .iter()
        .filter(|line| !line.is_proration && line.amount >= 0)
        .max_by_key(|line| line.period.end);
    if let Some(line) = full {
        // A trial is granted when it begins, and its invoice is about nothing.
        return (Some(line.period) != trial && line.plan.credits_included > Credits(0)).then(
            || Included {
                source_type: PERIOD,
                source_id: period_name(subscription, line.period.start),
                credits: line.plan.credits_included,
                period: line.period,
                plan: line.plan.id,
                most: line.plan.credits_included,
            },
        );
    }
    let prorations = || lines.iter().filter(|line| line.is_proration);
    let new = prorations()
        .filter(|line| line.amount > 0)
        .max_by_key(|line| (line.period.start, line.plan.credits_included))?;
    let old = prorations()
        .filter(|line| line.amount < 0)
        .map(|line| line.plan.credits_included)
        .max()?;
    let period = whole(new.period.start);
    let left = (period.end - new.period.start).num_seconds();
    let length = (period.end - period.start).num_seconds();
    let more = new.plan.credits_included.0.checked_sub(old.0)?;
    let credits = share(more, left, length);
    (credits > 0).then(|| Included {
        source_type: UPGRADE,
        source_id: format!(
            "{}:{}",
            period_name(subscription, period.start),
            new.plan.name
        ),
        credits: Credits(credits),
        period,
        plan: new.plan.id,
        most: new.plan.credits_included,
    })
}

/// `amount * part / whole`, rounded down; nothing of nothing.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if amount <= 0 || part <= 0 || whole <= 0 {
        return 0;
    }
    let share = i128::from(amount) * i128::from(part.min(whole)) / i128::from(whole);
    i64::try_from(share).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BillingInterval;
    use eyemotion_core::Money;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn plan(name: &str, credits: i64) -> Plan {
        Plan {
            id: Uuid::nil(),
            name: name.to_owned(),
            display_name: name.to_owned(),
            description: String::new(),
            price: Money {
                amount: credits,
                currency: "THB".to_owned(),
            },
            interval: BillingInterval::Month,
            credits_included: Credits(credits),
            storage_gb: 1,
            features: Vec::new(),
        }
    }

    fn line(plan: Plan, start: &str, end: &str, is_proration: bool, amount: i64) -> PlanLine {
        PlanLine {
            plan,
            period: Period {
                start: at(start),
                end: at(end),
            },
            is_proration,
            amount,
        }
    }

    fn november(_: DateTime<Utc>) -> Period {
        Period {
            start: at("2026-11-01T00:00:00Z"),
            end: at("2026-12-01T00:00:00Z"),
        }
    }

    const NOVEMBER: (&str, &str) = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");

    #[test]
    fn a_period_brings_the_plans_credits() {
        let lines = [line(
            plan("pro", 5000),
            NOVEMBER.0,
            NOVEMBER.1,
            false,
            99_900,
        )];
        let found = included(Uuid::nil(), &lines, None, november).unwrap();
        assert_eq!((found.source_type, found.credits), (PERIOD, Credits(5000)));
        let name = "00000000-0000-0000-0000-000000000000:2026-11-01T00:00:00.000000Z";
        assert_eq!(found.source_id, name);
        assert_eq!(found.period, november(found.period.start));
    }

    #[test]
    fn a_trial_brings_nothing_by_its_invoice() {
        let lines = [line(plan("pro", 5000), NOVEMBER.0, NOVEMBER.1, false, 0)];
        let trial = Some(november(Utc::now()));
        assert_eq!(included(Uuid::nil(), &lines, trial, november), None);
    }

    #[test]
    fn a_renewal_pays_for_the_coming_period_whatever_else_it_settles() {
        let lines = [
            line(
                plan("pro", 5000),
                "2026-10-20T00:00:00Z",
                NOVEMBER.0,
                true,
                35_000,
            ),
            line(
                plan("creator", 1000),
                "2026-10-20T00:00:00Z",
                NOVEMBER.0,
                true,
                -10_000,
            ),
            line(plan("pro", 5000), NOVEMBER.0, NOVEMBER.1, false, 99_900),
        ];
        let found = included(Uuid::nil(), &lines, None, november).unwrap();
        assert_eq!((found.source_type, found.credits), (PERIOD, Credits(5000)));
    }

    #[test]
    fn an_upgrade_brings_the_difference_for_what_is_left() {
        let middle = "2026-11-16T00:00:00Z";
        let lines = [
            line(plan("creator", 1000), middle, NOVEMBER.1, true, -14_950),
            line(plan("pro", 5000), middle, NOVEMBER.1, true, 49_950),
        ];
        let found = included(Uuid::nil(), &lines, None, november).unwrap();
        assert_eq!((found.source_type, found.credits), (UPGRADE, Credits(2000)));
        assert!(
            found
                .source_id
                .ends_with(":2026-11-01T00:00:00.000000Z:pro")
        );
        assert_eq!(found.period.end, at(NOVEMBER.1));
        let down = [
            line(plan("pro", 5000), middle, NOVEMBER.1, true, -49_950),
            line(plan("creator", 1000), middle, NOVEMBER.1, true, 14_950),
        ];
        assert_eq!(included(Uuid::nil(), &down, None, november), None);
    }

    proptest! {
        #[test]
        fn a_share_is_rounded_down(amount in 0_i64..1 << 40, part in 0_i64..1 << 30, whole in 1_i64..1 << 30) {
            let found = i128::from(share(amount, part, whole));
            let exact = i128::from(amount) * i128::from(part.min(whole));
            prop_assert!(found * i128::from(whole) <= exact);
            prop_assert!(exact < (found + 1) * i128::from(whole));
        }
    }
}
