//! What a flag's rule looks like in JSON, and whom it is on for.

use crate::error::KvError;
use aws_lc_rs::digest::{SHA256, digest};
use eyemotion_core::UserId;
use eyemotion_ports::{Flag, FlagRule, FlagSubject};
use serde_json::Value;

const MAX_PLANS: usize = 20;
const MAX_USERS: usize = 1000;

/// `true`, `false`, or `{enabled, plans?, percentage?, users?}`.
pub(crate) fn parse(pointer: &str, value: &Value) -> Result<FlagRule, KvError> {
    let members = match value {
        Value::Bool(enabled) => {
            return Ok(FlagRule {
                enabled: *enabled,
                ..FlagRule::default()
            });
        }
        Value::Object(members) => members,
        _ => {
            let detail = "must be true, false, or an object with the member enabled";
            return Err(KvError::invalid(pointer, "wrong_type", detail));
        }
    };
    let mut rule = FlagRule::default();
    let mut stated = false;
    for (name, value) in members {
        let wrong = |code, detail: &str| {
            let name = name.replace('~', "~0").replace('/', "~1");
            KvError::invalid(&format!("{pointer}/{name}"), code, detail)
        };
        match name.as_str() {
            "enabled" => {
                let enabled = value.as_bool();
                rule.enabled = enabled.ok_or_else(|| wrong("wrong_type", "must be a boolean"))?;
                stated = true;
            }
            "percentage" => {
                let percentage = value.as_u64().and_then(|number| u8::try_from(number).ok());
                let percentage = percentage.filter(|number| *number <= 100);
                let detail = "must be a whole number from 0 to 100";
                rule.percentage = Some(percentage.ok_or_else(|| wrong("out_of_range", detail))?);
            }
            "plans" => {
                let detail = "must be a list of at most 20 names of plans";
                let plans = texts(value, MAX_PLANS).ok_or_else(|| wrong("invalid", detail))?;
                rule.plans = Some(plans.into_iter().map(ToOwned::to_owned).collect());
            }
            "users" => {
                let detail = "must be a list of at most 1000 ids of people";
                let users = texts(value, MAX_USERS).ok_or_else(|| wrong("invalid", detail))?;
                let users: Result<Vec<UserId>, _> = users.into_iter().map(str::parse).collect();
                rule.users = users.map_err(|_| wrong("invalid", detail))?;
            }
            _ => {
                let detail = "a rule has the members enabled, plans, percentage and users";
                return Err(wrong("unknown_field", detail));
            }
        }
    }
    if stated {
        Ok(rule)
    } else {
        let pointer = format!("{pointer}/enabled");
        Err(KvError::invalid(&pointer, "required", "must be a boolean"))
    }
}

fn texts(value: &Value, most: usize) -> Option<Vec<&str>> {
    let items = value.as_array().filter(|items| items.len() <= most)?;
    items.iter().map(Value::as_str).collect()
}

/// Off is off for everybody. Otherwise the people who are named, and those whom every other
/// condition holds for; a rule that names people and nothing else is for them alone. Where nobody
/// is signed in, a rule about people is not asked: it is on.
pub(crate) fn applies(flag: Flag, rule: &FlagRule, subject: Option<FlagSubject<'_>>) -> bool {
    let Some(subject) = subject.filter(|_| !rule.is_general()) else {
        return rule.enabled;
    };
    if rule.users.contains(&subject.user) {
        return true;
    }
    if rule.plans.is_none() && rule.percentage.is_none() {
        return false;
    }
    let on_plan = rule.plans.as_ref().is_none_or(|plans| {
        let plan = subject.plan.unwrap_or_default();
        plans.iter().any(|name| name == plan)
    });
    let drawn = rule
        .percentage
        .is_none_or(|percentage| percentile(flag, subject.user) < u64::from(percentage));
    on_plan && drawn
}

/// From 0 to 99, always the same for a person and a flag, and for another flag another: so the
/// same people are not always the first.
fn percentile(flag: Flag, user: UserId) -> u64 {
    let text = format!("{}:{user}", flag.as_str());
    let hash = digest(&SHA256, text.as_bytes());
    let number = hash
        .as_ref()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes));
    number % 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn rule(value: &Value) -> FlagRule {
        parse("", value).unwrap()
    }

    #[test]
    fn who_is_in() {
        let named = UserId(Uuid::from_u128(1));
        let other = UserId(Uuid::from_u128(2));
        let on = |value: &Value, user, plan| {
            applies(
                Flag::Storage,
                &rule(value),
                Some(FlagSubject { user, plan }),
            )
        };
        let all = json!({ "enabled": true });
        assert!(on(&all, other, None));
        let users = json!({ "enabled": true, "users": [named] });
        assert!(on(&users, named, None) && !on(&users, other, None));
        let plans = json!({ "enabled": true, "plans": ["pro"], "users": [named] });
        assert!(on(&plans, other, Some("pro")) && on(&plans, named, Some("freemium")));
        assert!(!on(&plans, other, Some("freemium")) && !on(&plans, other, None));
        let none = json!({ "enabled": true, "plans": ["pro"], "percentage": 0 });
        assert!(!on(&none, other, Some("pro")));
        let off = json!({ "enabled": false, "users": [named], "percentage": 100 });
        assert!(!on(&off, named, None));
        assert!(!applies(Flag::Storage, &rule(&off), None));
        assert!(applies(Flag::Storage, &rule(&none), None));
    }

    #[test]
    fn a_percentage_is_that_share_and_grows_by_adding_only() {
        let people: Vec<UserId> = (0..5000).map(|n| UserId(Uuid::from_u128(n))).collect();
        let share = |percentage: u8, flag| -> Vec<UserId> {
            let rule = FlagRule {
                percentage: Some(percentage),
                ..FlagRule::default()
            };
            let inside = |user: &&UserId| {
                let subject = FlagSubject {
                    user: **user,
                    plan: None,
                };
                applies(flag, &rule, Some(subject))
            };
            people.iter().filter(inside).copied().collect()
        };
        let (ten, twenty) = (share(10, Flag::Auth), share(20, Flag::Auth));
        assert!((400..600).contains(&ten.len()), "{}", ten.len());
        assert!((850..1150).contains(&twenty.len()), "{}", twenty.len());
        assert!(ten.iter().all(|user| twenty.contains(user)));
        assert_ne!(ten, share(10, Flag::Backup));
        assert_eq!(share(100, Flag::Auth).len(), people.len());
        assert!(share(0, Flag::Auth).is_empty());
        // Known by heart: another answer would move people about at an update.
        assert_eq!(percentile(Flag::Auth, UserId(Uuid::from_u128(7))), 38);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (value, pointer) in [
            (json!(1), "/x"),
            (json!(null), "/x"),
            (json!({}), "/x/enabled"),
            (json!({ "enabled": "yes" }), "/x/enabled"),
            (
                json!({ "enabled": true, "percentage": 101 }),
                "/x/percentage",
            ),
            (
                json!({ "enabled": true, "percentage": -1 }),
                "/x/percentage",
            ),
            (
                json!({ "enabled": true, "percentage": 1.5 }),
                "/x/percentage",
            ),
            (json!({ "enabled": true, "plans": "pro" }), "/x/plans"),
            (json!({ "enabled": true, "users": ["me"] }), "/x/users"),
            (json!({ "enabled": true, "a/b": 1 }), "/x/a~1b"),
        ] {
            let Err(KvError::Invalid(faults)) = parse("/x", &value) else {
                panic!("{value} was taken");
            };
            assert_eq!(faults[0].pointer, pointer, "{value}");
        }
    }
}
