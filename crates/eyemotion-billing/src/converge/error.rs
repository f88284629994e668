use crate::stripe::StripeError;
use eyemotion_db::DbError;
use eyemotion_ports::LedgerError;

/// Why our rows could not be made equal to what Stripe has.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvergeError {
    /// There is no key to ask Stripe with.
    #[error("payments are not configured")]
    NotConfigured,
    /// Nobody here has to do with it: another system uses the same account.
    #[error("{0} belongs to nobody here")]
    Nobodys(String),
    /// What Stripe says cannot be true of what we sold. Nothing is changed; somebody has to look.
    #[error("{0}")]
    Odd(String),
    /// Something else has to be known first: later, perhaps.
    #[error("{0} is not known yet")]
    NotYet(String),
    /// Stripe refused, or does not answer.
    #[error("Stripe cannot be asked")]
    Stripe(#[source] StripeError),
    /// The ledger refused.
    #[error("the ledger refused")]
    Ledger(#[source] LedgerError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl ConvergeError {
    /// Whether trying again is of no use.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Odd(_))
    }
}

impl From<StripeError> for ConvergeError {
    fn from(error: StripeError) -> Self {
        if error.is_not_found() {
            // Gone, or of another account: no later try finds it.
            Self::Nobodys("what Stripe does not know".to_owned())
        } else {
            Self::Stripe(error)
        }
    }
}

impl From<LedgerError> for ConvergeError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Db(error) => Self::Db(error),
            other => Self::Ledger(other),
        }
    }
}
