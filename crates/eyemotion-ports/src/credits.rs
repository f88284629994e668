use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eyemotion_core::{Coded, Credits, Ctx, ErrorCode, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::{Map, Value, json};
use std::time::Duration;
use uuid::Uuid;

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
    /// The price that made it so many, for the books.
    pub price: Option<Priced>,
    /// The same key never charges twice.
    pub idempotency_key: String,
}

/// How much of an action was priced, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The action price.
    pub price: Uuid,
    /// In the smallest of its units: bytes, seconds, items.
    pub quantity: i64,
}

/// What an action costs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// May be none.
    pub credits: Credits,
    /// For the books.
    pub price: Priced,
}

/// Credits to be set aside, for work that may come to less or to nothing.
#[derive(Clone, Debug)]
pub struct Hold {
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
    /// The price that made it so many, for the books.
    pub price: Option<Priced>,
    /// From then on it can only be given back, and is.
    pub expires_at: DateTime<Utc>,
    /// The hold's name; the same key never holds twice. At most 200 bytes.
    pub idempotency_key: String,
}

/// What a hold comes to.
#[derive(Clone, Debug)]
pub struct Capture {
    /// From whom.
    pub user: UserId,
    /// The hold's name.
    pub hold: String,
    /// How many of those held, more than none; the rest is given back. None: all of them.
    pub credits: Option<Credits>,
    /// The same key never captures twice.
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
    /// The person has no hold of this name.
    #[error("there is no such hold")]
    HoldNotFound,
    /// A hold ends once: this one was captured.
    #[error("the hold has been captured already")]
    AlreadyCaptured,
    /// A hold ends once: this one was given back.
    #[error("the hold has been released already")]
    AlreadyReleased,
    /// Its time was over first.
    #[error("the hold has expired")]
    HoldExpired,
    /// More than is held.
    #[error("{held} are held and {wanted} were to be captured")]
    BeyondHold {
        /// What is held.
        held: Credits,
        /// What was asked for.
        wanted: Credits,
    },
    /// Nothing has a price for this action now.
    #[error("{0} has no price now")]
    Unpriced(&'static str),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for LedgerError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Insufficient { .. } => ErrorCode::InsufficientCredits,
            Self::KeyReused => ErrorCode::IdempotencyKeyReused,
            Self::HoldNotFound
            | Self::AlreadyCaptured
            | Self::AlreadyReleased
            | Self::HoldExpired
            | Self::BeyondHold { .. } => ErrorCode::HoldResolved,
            Self::Unpriced(_) => ErrorCode::Internal,
            Self::Db(error) => error.code(),
        }
    }

    fn members(&self) -> Map<String, Value> {
        match self {
            Self::Insufficient { needed, available } => Map::from_iter([
                ("creditsNeeded".to_owned(), json!(needed)),
                ("creditsAvailable".to_owned(), json!(available)),
            ]),
            _ => Map::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Db(error) => error.retry_after(),
            _ => None,
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

    /// Sets credits aside, once for each key. Returns the balance afterwards.
    async fn hold(&self, tx: &mut Tx, ctx: &Ctx, hold: Hold) -> Result<Credits, LedgerError>;

    /// Takes credits out of a hold and gives the rest of it back. Returns the balance afterwards.
    async fn capture(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        capture: Capture,
    ) -> Result<Credits, LedgerError>;

    /// Gives back what a hold of this name keeps. Returns the balance afterwards. Credits whose
    /// lot has expired meanwhile end here.
    async fn release(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        hold: &str,
    ) -> Result<Credits, LedgerError>;

    /// Gives back what is still held for any of these things.
    async fn release_for(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        resource_type: &str,
        resource_ids: &[String],
    ) -> Result<(), LedgerError>;

    /// Lets a hold live until `expires_at`, if that is later: the heartbeat of work under way.
    async fn extend(
        &self,
        tx: &mut Tx,
        user: UserId,
        hold: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<(), LedgerError>;

    /// What so much of an action costs now: bytes, seconds or items, whichever its price counts.
    async fn quote(
        &self,
        tx: &mut Tx,
        action: &'static str,
        quantity: u64,
    ) -> Result<Quote, LedgerError>;

    /// What can be spent.
    async fn balance(&self, tx: &mut Tx, user: UserId) -> Result<Credits, DbError>;
}
