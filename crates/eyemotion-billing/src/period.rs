//! Monthly periods of plans that nobody bills.

use chrono::{DateTime, Datelike, Months, Utc};

/// The month between two renewals, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl Period {
    /// The period around `now` of a subscription that began at `anchor`. Each begins on the
    /// anchor's day of the month, or on the month's last day where that is earlier, at the same
    /// time, UTC: after 31 January come 28 February and 31 March.
    pub(crate) fn around(now: DateTime<Utc>, anchor: DateTime<Utc>) -> Self {
        let months = months_of(now).saturating_sub(months_of(anchor));
        let start = if boundary(anchor, months) > now {
            months.saturating_sub(1)
        } else {
            months
        };
        Self {
            start: boundary(anchor, start),
            end: boundary(anchor, start.saturating_add(1)),
        }
    }
}

/// Counted from the anchor each time, so that a short month does not shorten those after it.
fn boundary(anchor: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    anchor
        .checked_add_months(Months::new(months))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn months_of(moment: DateTime<Utc>) -> u32 {
    u32::try_from(moment.year()).unwrap_or_default() * 12 + moment.month0()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;
    use rstest::rstest;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case(
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00Z",
        "2026-12-22T10:00:00Z"
    )]
    #[case(
        "2026-11-22T10:00:00Z",
        "2026-12-22T09:59:59Z",
        "2026-11-22T10:00:00Z",
        "2026-12-22T10:00:00Z"
    )]
    #[case(
        "2026-11-22T10:00:00Z",
        "2026-12-22T10:00:00Z",
        "2026-12-22T10:00:00Z",
        "2027-01-22T10:00:00Z"
    )]
    #[case(
        "2027-01-31T00:00:00Z",
        "2027-02-15T00:00:00Z",
        "2027-01-31T00:00:00Z",
        "2027-02-28T00:00:00Z"
    )]
    #[case(
        "2027-01-31T00:00:00Z",
        "2027-03-01T00:00:00Z",
        "2027-02-28T00:00:00Z",
        "2027-03-31T00:00:00Z"
    )]
    #[case(
        "2027-01-31T00:00:00Z",
        "2028-02-29T00:00:00Z",
        "2028-02-29T00:00:00Z",
        "2028-03-31T00:00:00Z"
    )]
    #[case(
        "2027-12-31T23:59:59Z",
        "2028-01-01T00:00:00Z",
        "2027-12-31T23:59:59Z",
        "2028-01-31T23:59:59Z"
    )]
    fn keeps_the_day_of_the_month(
        #[case] anchor: &str,
        #[case] now: &str,
        #[case] start: &str,
        #[case] end: &str,
    ) {
        assert_eq!(
            Period::around(at(now), at(anchor)),
            Period {
                start: at(start),
                end: at(end)
            }
        );
    }

    proptest! {
        #[test]
        fn periods_leave_no_gap(start in 0_i64..1 << 32, later in 0_i64..1 << 30) {
            let anchor = DateTime::from_timestamp(start, 0).unwrap();
            let now = anchor + Duration::seconds(later);
            let period = Period::around(now, anchor);
            prop_assert!(period.start <= now && now < period.end);
            let next = Period::around(period.end, anchor);
            prop_assert_eq!(next.start, period.end);
            prop_assert_eq!(Period::around(period.end - Duration::seconds(1), anchor), period);
        }
    }
}
