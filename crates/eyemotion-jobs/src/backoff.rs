use std::time::Duration;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_hours(6);

/// The longest pause after failed attempt `number`: 10 s, doubled each time, 6 h at most.
pub(crate) fn ceiling(number: i32) -> Duration {
    let doublings = u32::try_from(number.saturating_sub(1)).unwrap_or(0);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    FIRST.saturating_mul(factor).min(LONGEST)
}

/// The pause after failed attempt `number`: anything up to the ceiling, so that jobs that failed
/// together do not come back together ("full jitter", AWS Architecture Blog, 2015).
pub(crate) fn pause(number: i32) -> Duration {
    ceiling(number).mul_f64(rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_six_hours() {
        let seconds: Vec<_> = (1..=4).map(|number| ceiling(number).as_secs()).collect();
        assert_eq!(seconds, [10, 20, 40, 80]);
        assert_eq!(ceiling(12), Duration::from_secs(20_480));
        assert_eq!(ceiling(13), LONGEST);
        assert_eq!(ceiling(i32::MAX), LONGEST);
        assert_eq!(ceiling(0), FIRST);
    }

    #[test]
    fn stays_under_the_ceiling_and_spreads() {
        let pauses: Vec<_> = (0..200).map(|_| pause(3)).collect();
        assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(40)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_secs(20)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(20)));
    }
}
