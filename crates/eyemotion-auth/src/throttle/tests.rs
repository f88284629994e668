use super::*;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn fresh(now: DateTime<Utc>) -> CounterRow {
    CounterRow {
        spent: 0,
        free_at: now,
        resets_at: now,
    }
}

#[test]
fn a_window_allows_so_many_and_then_waits_for_its_end() {
    let rule = Rule::window("test", 3, TimeDelta::minutes(10));
    let mut now = start();
    let mut counter = fresh(now);
    for _ in 0..3 {
        assert!(now >= counter.free_at);
        counter = rule.charge(counter, now);
        now += TimeDelta::minutes(1);
    }
    assert_eq!(counter.free_at, start() + TimeDelta::minutes(10));
    let next = rule.charge(counter, counter.free_at);
    assert_eq!((next.spent, next.free_at), (1, counter.free_at));
}

#[test]
fn pauses_double_from_a_second_to_a_quarter_of_an_hour() {
    let rule = Rule::SIGN_IN_NETWORK;
    let mut now = start();
    let mut counter = fresh(now);
    let mut pauses = Vec::new();
    for _ in 0..12 {
        counter = rule.charge(counter, now);
        pauses.push((counter.free_at - now).num_seconds());
        now = counter.free_at;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    now += QUARTER_HOUR;
    counter = rule.charge(counter, now);
    assert_eq!(counter.free_at - now, TimeDelta::seconds(1), "forgotten");
}

#[test]
fn guesses_made_at_once_add_up() {
    let rule = Rule::SIGN_IN_NETWORK;
    let now = start();
    let mut counter = fresh(now);
    for _ in 0..100 {
        counter = rule.charge(counter, now);
    }
    assert_eq!(counter.free_at - now, QUARTER_HOUR);
}

#[test]
fn a_network_is_what_one_customer_has() {
    let of = |ip: &str| network(Some(ip.parse().unwrap()));
    assert_eq!(of("192.0.2.7"), "192.0.2.0/24");
    assert_eq!(of("::ffff:192.0.2.9"), "192.0.2.0/24");
    assert_eq!(of("2001:db8:5:6::1"), "2001:db8:5::/48");
    assert_eq!(network(None), "");
}

#[test]
fn only_this_machine_is_remotely_let_off() {
    let of = |ip: &str| Some(ip.parse().unwrap());
    assert!(!Throttling::Remote.limits(of("127.0.0.1")));
    assert!(!Throttling::Remote.limits(of("::1")));
    assert!(!Throttling::Remote.limits(of("::ffff:127.0.0.1")));
    assert!(Throttling::Remote.limits(of("192.0.2.1")));
    assert!(Throttling::Remote.limits(None));
    assert!(Throttling::On.limits(of("127.0.0.1")));
    assert!(!Throttling::Off.limits(of("192.0.2.1")));
}

#[test]
fn keys_differ_by_rule_and_subject_and_secret() {
    let throttles = Throttles::new([7; 32]);
    let key = throttles.key(Rule::MAIL, "a@example.com");
    assert_eq!(key, throttles.key(Rule::MAIL, "a@example.com"));
    for other in [
        throttles.key(Rule::MAIL, "b@example.com"),
        throttles.key(Rule::SIGN_IN_ACCOUNT, "a@example.com"),
        Throttles::new([8; 32]).key(Rule::MAIL, "a@example.com"),
    ] {
        assert_ne!(key, other);
    }
}
