//! What Stripe charges at least, and how currencies are counted.
//! Sources: docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, #zero-decimal,
//! #three-decimal.

/// Currencies and the least charge in minor units; where Stripe names none, it is that of 0.50 US
/// dollars in the account's currency, which one minor unit over nothing stands for here.
const MINIMA: [(&str, i64); 24] = [
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1000),
    ("USD", 50),
];

const NO_DECIMALS: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

const THREE_DECIMALS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The least that can be charged, in minor units.
pub(crate) fn minimum(currency: &str) -> i64 {
    let known = MINIMA.iter().find(|(name, _)| *name == currency);
    known.map_or(1, |(_, minimum)| *minimum)
}

/// How many decimals the currency has: two satang digits of a baht, none of a yen.
pub(crate) fn exponent(currency: &str) -> usize {
    if NO_DECIMALS.contains(&currency) {
        0
    } else if THREE_DECIMALS.contains(&currency) {
        3
    } else {
        2
    }
}

/// An amount for people: `299.00 THB`.
pub(crate) fn shown(amount: i64, currency: &str) -> String {
    let exponent = exponent(currency);
    let sign = if amount < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", amount.unsigned_abs(), width = exponent + 1);
    let (whole, part) = digits.split_at(digits.len() - exponent);
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{part} {currency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        assert_eq!(shown(29_900, "THB"), "299.00 THB");
        assert_eq!(shown(5, "THB"), "0.05 THB");
        assert_eq!(shown(-1050, "THB"), "-10.50 THB");
        assert_eq!(shown(500, "JPY"), "500 JPY");
        assert_eq!(shown(1, "KWD"), "0.001 KWD");
    }

    #[test]
    fn the_least_charge_is_ten_baht() {
        assert_eq!(minimum("THB"), 1000);
    }
}
