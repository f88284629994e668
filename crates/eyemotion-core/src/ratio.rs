use std::ops::{Add, AddAssign, Mul, Sub};

/// An exact fraction in lowest terms: the twelfth part of a yearly price is rarely whole.
///
/// Sums are taken of fractions whose denominators are 12 x a billing interval's count, so the
/// numbers stay far from the ends of 128 bits; past them they stay at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: i128,
    /// Positive.
    den: i128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { num: 0, den: 1 };

    /// `num / den`; none when `den` is 0.
    pub fn new(num: impl Into<i128>, den: impl Into<i128>) -> Option<Self> {
        let (num, den) = (num.into(), den.into());
        if den == 0 {
            return None;
        }
        let divisor = gcd(num.unsigned_abs(), den.unsigned_abs());
        let divisor = i128::try_from(divisor).unwrap_or(1) * den.signum();
        Some(Self {
            num: num / divisor,
            den: den / divisor,
        })
    }

    /// A whole number.
    pub fn whole(number: i64) -> Self {
        Self {
            num: number.into(),
            den: 1,
        }
    }

    /// `self / other`; none when `other` is 0.
    #[must_use]
    pub fn checked_div(self, other: Self) -> Option<Self> {
        Self::new(
            self.num.saturating_mul(other.den),
            self.den.saturating_mul(other.num),
        )
    }

    /// The nearest whole number, halves away from zero: how minor units are shown.
    pub fn round(self) -> i64 {
        let (whole, rest) = (self.num / self.den, self.num % self.den);
        let up = rest.unsigned_abs() >= self.den.unsigned_abs() - rest.unsigned_abs();
        let rounded = if up {
            whole.saturating_add(self.num.signum())
        } else {
            whole
        };
        i64::try_from(rounded).unwrap_or(if rounded > 0 { i64::MAX } else { i64::MIN })
    }

    /// The nearest millionth, halves away from zero: how rates are shown.
    pub fn millionths(self) -> i64 {
        (self * 1_000_000).round()
    }
}

const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Add for Ratio {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let num = self
            .num
            .saturating_mul(other.den)
            .saturating_add(other.num.saturating_mul(self.den));
        Self::new(num, self.den.saturating_mul(other.den)).unwrap_or(Self::ZERO)
    }
}

impl AddAssign for Ratio {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Ratio {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + other * -1
    }
}

impl Mul<i64> for Ratio {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self::new(self.num.saturating_mul(factor.into()), self.den).unwrap_or(Self::ZERO)
    }
}

impl Mul for Ratio {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(
            self.num.saturating_mul(other.num),
            self.den.saturating_mul(other.den),
        )
        .unwrap_or(Self::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_halves_away_from_zero() {
        for (num, den, rounded) in [
            (5, 2, 3),
            (-5, 2, -3),
            (7, 3, 2),
            (-7, 3, -2),
            (8, 3, 3),
            (0, 7, 0),
            (6, -2, -3),
            (6, 2, 3),
        ] {
            assert_eq!(
                Ratio::new(num, den).unwrap().round(),
                rounded,
                "{num}/{den}"
            );
        }
    }

    #[test]
    fn twelve_twelfths_are_one() {
        let twelfth = Ratio::new(299_900, 12).unwrap();
        assert_eq!(twelfth * 12, Ratio::whole(299_900));
        assert_eq!(twelfth.round(), 24_992);
        assert_eq!(Ratio::new(1, 3).unwrap().millionths(), 333_333);
        assert_eq!(Ratio::new(1, 0), None);
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        for a in -12..12 {
            for b in 1..12 {
                for c in -12..12 {
                    let (left, right) = (Ratio::new(a, b).unwrap(), Ratio::new(c, 7).unwrap());
                    assert_eq!(left + right - right, left);
                    assert_eq!(left * right, right * left);
                    if c != 0 {
                        assert_eq!((left * right).checked_div(right), Some(left));
                    }
                }
            }
        }
    }
}
