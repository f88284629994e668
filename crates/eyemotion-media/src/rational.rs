//! Exact frame rates.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A positive fraction in lowest terms, such as the frame rate 24000/1001. Written "24000/1001" also in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rational {
    num: u32,
    den: u32,
}

/// Text that is not a positive fraction of two whole numbers of 32 bits.
#[derive(Debug, thiserror::Error)]
#[error("not a positive fraction such as 24000/1001")]
pub struct ParseRationalError;

/// Rates that cameras and broadcasters use beside whole numbers, over 1001 (SMPTE ST 12-1).
const NTSC: [u32; 5] = [24_000, 30_000, 48_000, 60_000, 120_000];

impl Rational {
    /// The fraction in lowest terms; `None` when either number is zero.
    pub fn new(num: u32, den: u32) -> Option<Self> {
        if num == 0 || den == 0 {
            return None;
        }
        let divisor = gcd(u64::from(num), u64::from(den));
        Some(Self {
            num: u32::try_from(u64::from(num) / divisor).ok()?,
            den: u32::try_from(u64::from(den) / divisor).ok()?,
        })
    }

    /// The numerator.
    pub fn num(self) -> u32 {
        self.num
    }

    /// The denominator.
    pub fn den(self) -> u32 {
        self.den
    }

    /// The nearest floating-point number, for display and estimates only.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// The fraction nearest to num/den whose parts fit 31 bits: continued fractions, exact where it fits.
    pub(crate) fn nearest(num: u64, den: u64) -> Option<Self> {
        const LIMIT: u128 = 0x7fff_ffff;
        let (mut n, mut d) = (u128::from(num), u128::from(den));
        let (mut before, mut last) = ((0_u128, 1_u128), (1_u128, 0_u128));
        while d != 0 {
            let whole = n / d;
            let next = (whole * last.0 + before.0, whole * last.1 + before.1);
            if next.0 > LIMIT || next.1 > LIMIT {
                break;
            }
            (before, last) = (last, next);
            (n, d) = (d, n % d);
        }
        Self::new(u32::try_from(last.0).ok()?, u32::try_from(last.1).ok()?)
    }

    /// The usual rate within one part in 10,000 of this one: n/1001 or a whole number; else itself.
    pub(crate) fn snapped(self) -> Self {
        let (num, den) = (u64::from(self.num), u64::from(self.den));
        let whole = u32::try_from((num + den / 2) / den).unwrap_or(u32::MAX);
        NTSC.iter()
            .map(|&num| (num, 1001))
            .chain([(whole, 1)])
            .filter_map(|(num, den)| Self::new(num, den))
            .find(|usual| self.is_near(*usual))
            .unwrap_or(self)
    }

    fn is_near(self, other: Self) -> bool {
        let ours = u128::from(self.num) * u128::from(other.den);
        let theirs = u128::from(other.num) * u128::from(self.den);
        ours.abs_diff(theirs) * 10_000 <= theirs
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

impl FromStr for Rational {
    type Err = ParseRationalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_once('/')
            .and_then(|(num, den)| Self::new(num.parse().ok()?, den.parse().ok()?))
            .ok_or(ParseRationalError)
    }
}

impl TryFrom<String> for Rational {
    type Error = ParseRationalError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Rational> for String {
    fn from(value: Rational) -> Self {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rational(text: &str) -> Rational {
        text.parse().unwrap()
    }

    #[test]
    fn is_kept_in_lowest_terms_and_written_as_a_fraction() {
        assert_eq!(
            Rational::new(48_000, 2002).unwrap().to_string(),
            "24000/1001"
        );
        assert_eq!(
            serde_json::to_string(&rational("50/2")).unwrap(),
            "\"25/1\""
        );
        assert_eq!(
            serde_json::from_str::<Rational>("\"25/1\"").unwrap(),
            rational("25/1")
        );
        for wrong in [
            "\"0/1\"",
            "\"1/0\"",
            "\"25\"",
            "25",
            "\"-1/2\"",
            "\"4294967296/1\"",
        ] {
            assert!(serde_json::from_str::<Rational>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn snaps_within_one_part_in_ten_thousand_only() {
        for (given, expected) in [
            ("1000000000/41708333", "24000/1001"),
            ("2997/100", "30000/1001"),
            ("5994/100", "60000/1001"),
            ("1000000000/33333333", "30/1"),
            ("23976/1000", "24000/1001"),
            ("2399/100", "2399/100"),
            ("25/2", "25/2"),
            ("1/2", "1/2"),
        ] {
            assert_eq!(rational(given).snapped().to_string(), expected, "{given}");
        }
    }

    #[test]
    fn nearest_stays_exact_where_it_fits() {
        assert_eq!(Rational::nearest(990, 59).unwrap().to_string(), "990/59");
        assert_eq!(
            Rational::nearest(u64::MAX, u64::MAX).unwrap().to_string(),
            "1/1"
        );
        assert_eq!(Rational::nearest(5, 0), None);
        assert_eq!(Rational::nearest(0, 5), None);
        let third = Rational::nearest(10_000_000_000_000, 30_000_000_000_001).unwrap();
        assert!((third.as_f64() - 1.0 / 3.0).abs() < 1e-9);
    }
}
