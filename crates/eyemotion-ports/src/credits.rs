use async_trait::async_trait;
use eyemotion_core::{Coded, Credits, Ctx, ErrorCode, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why credits were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditKind {
    /// Part of the plan, reset each period.
    Included,
    /// Bought.
    Purchased,
    /// Given by an operator.
    Adjustment,
}

/// Credits to be given.
#[derive(Clone, Debug)]
pub struct Grant {
    /// To whom.
    pub user: UserId,
    /// How many, more than none.
    pub credits: Credits,
    /// Why.
    pub kind: CreditKind,
    /// What they come from, with `source_id`: the same source never grants twice.
    pub source_type: &'static str,
    /// Which one of these.
    pub source_id: String,
}

/// Credits to be taken.
#[derive(Clone, Debug)]
pub struct Charge {
    /// From whom.
    pub user: UserId,
    /// How many, more than none.
    pub credits: Credits,
    /// For what: `file_upload` ...
    pub action: &'static str,
    /// For which sort of thing.
    pub resource_type: &'static str,
    /// For which one of these.
    pub resource_id: String,
    /// The same key never charges twice.
    pub idempotency_key: String,
}

/// Why the ledger refused.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The balance is too low.
    #[error(
        "{needed} are needed and {available} are available; buy credits or choose a larger plan"
    )]
    Insufficient {
        /// What the action costs.
        needed: Credits,
        /// What is there.
        available: Credits,
    },
    /// The key was used for another charge or grant.
    #[error("the ledger has another transaction under this key")]
    KeyReused,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for LedgerError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Insufficient { .. } => ErrorCode::InsufficientCredits,
            Self::KeyReused => ErrorCode::IdempotencyKeyReused,
            Self::Db(error) => error.code(),
        }
    }

    fn members(&self) -> Map<String, Value> {
        match self {
            Self::Insufficient { needed, available } => Map::from_iter([
                ("creditsNeeded".to_owned(), json!(needed)),
                ("creditsAvailable".to_owned(), json!(available)),
            ]),
            Self::KeyReused | Self::Db(_) => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Db(error) => error.retry_after(),
            Self::Insufficient { .. } | Self::KeyReused => None,
        }
    }
}

/// The credit ledger. Balances never go below zero, under any concurrency.
#[async_trait]
pub trait CreditLedger: Send + Sync {
    /// Gives credits, once for each source. Returns the balance afterwards.
    async fn grant(&self, tx: &mut Tx, ctx: &Ctx, grant: Grant) -> Result<Credits, LedgerError>;

    /// Takes credits, once for each key. Returns the balance afterwards.
    async fn spend(&self, tx: &mut Tx, ctx: &Ctx, charge: Charge) -> Result<Credits, LedgerError>;

    /// What can be spent.
    async fn balance(&self, tx: &mut Tx, user: UserId) -> Result<Credits, DbError>;
}
