use super::*;
use governor::clock::FakeRelativeClock;

fn limiter(most: u32, window: u64) -> (FakeRelativeClock, PerClient<FakeRelativeClock>) {
    let clock = FakeRelativeClock::default();
    let limiter = PerClient::with_clock("test", most, window, clock.clone());
    (clock, limiter)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_allowance_is_used_up_and_comes_back() {
    let (clock, limiter) = limiter(3, 60);
    let client = ip("192.0.2.1");
    let left: Vec<u32> = (0..3).map(|_| limiter.take(client).left).collect();
    assert_eq!(left, [2, 1, 0]);
    let refused = limiter.take(client);
    assert_eq!(refused.wait, Some(Duration::from_secs(20)));
    assert_eq!(refused.full_in, 60);
    assert!(refused.refusal().is_some());
    assert!(limiter.take(ip("192.0.2.2")).wait.is_none());
    clock.advance(Duration::from_secs(20));
    assert!(limiter.take(client).wait.is_none());
    assert!(limiter.take(client).wait.is_some());
    clock.advance(Duration::from_mins(1));
    assert_eq!(limiter.take(client).left, 2);
}

#[test]
fn one_customer_has_a_64() {
    let (_, limiter) = limiter(1, 60);
    assert!(limiter.take(ip("2001:db8:1:1::1")).wait.is_none());
    assert!(limiter.take(ip("2001:db8:1:1:ffff::9")).wait.is_some());
    assert!(limiter.take(ip("2001:db8:1:2::1")).wait.is_none());
    assert!(limiter.take(ip("192.0.2.1")).wait.is_none());
    assert!(limiter.take(ip("::ffff:192.0.2.1")).wait.is_some());
}

#[test]
fn clients_are_forgotten_when_their_allowance_is_full() {
    let (clock, limiter) = limiter(2, 60);
    for number in 0..u32::try_from(3 * FEW).unwrap() {
        limiter.take(IpAddr::V4((0x0a00_0000 + number).into()));
    }
    assert_eq!(limiter.buckets.len(), 3 * FEW, "all of them are in use");
    clock.advance(Duration::from_mins(2));
    for number in 0..=u32::try_from(FEW).unwrap() {
        limiter.take(IpAddr::V4((0x0b00_0000 + number).into()));
    }
    assert!(
        limiter.buckets.len() <= FEW + 1,
        "{}",
        limiter.buckets.len()
    );
}

#[test]
fn a_provider_is_one_client_when_there_are_too_many() {
    let (_, limiter) = limiter(2, 60);
    for number in 0..u128::try_from(MANY).unwrap() + 1000 {
        let prefix = 0x2001_0db8_u128 << 96;
        limiter.take(IpAddr::V6(Ipv6Addr::from_bits(prefix | (number << 64))));
    }
    assert!(
        limiter.buckets.len() <= MANY + 1,
        "{}",
        limiter.buckets.len()
    );
    assert!(limiter.take(ip("2001:db8:ffff:ffff::1")).wait.is_some());
    assert!(limiter.take(ip("2001:db9:ffff:ffff::1")).wait.is_none());
}

#[test]
fn headers_name_the_policy_and_what_is_left() {
    let (_, limiter) = limiter(10, 60);
    let mut headers = HeaderMap::new();
    limiter.take(ip("192.0.2.1")).show(&mut headers);
    assert_eq!(
        headers.get("ratelimit-policy").unwrap(),
        "\"test\";q=10;w=60"
    );
    assert_eq!(headers.get("ratelimit").unwrap(), "\"test\";r=9;t=6");
}
