use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of credits. Whole, never a fraction.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Credits(pub i64);

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credits", self.0)
    }
}

/// An amount of money in the currency's minor unit: satang for Thai baht.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: 29900 is THB 299.00.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
}
