//! What the ledger writes down.

use crate::ledger::allocation::LotMove;
use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, UserId};
use serde_json::Value;
use uuid::Uuid;

/// What sort of transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TxnKind {
    Grant,
    Spend,
    Expire,
}

impl TxnKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Spend => "spend",
            Self::Expire => "expire",
        }
    }

    /// The account on the other side of the person's available credits.
    const fn counterpart(self) -> &'static str {
        match self {
            Self::Grant => "system:issued",
            Self::Spend => "system:consumed",
            Self::Expire => "system:expired",
        }
    }
}

/// One transaction of the ledger, complete: it is written once and never changed.
#[derive(Debug)]
pub(crate) struct Posting {
    pub id: Uuid,
    pub user: UserId,
    pub kind: TxnKind,
    /// The same key never posts twice for this person.
    pub key: String,
    pub request_hash: [u8; 32],
    pub reason: String,
    pub actor: String,
    /// What it is about: a sort of thing and its id.
    pub reference: Option<(String, String)>,
    pub details: Value,
    pub at: DateTime<Utc>,
    pub moves: Vec<LotMove>,
}

impl Posting {
    /// By how much the wallet changes.
    pub(crate) fn change(&self) -> i64 {
        self.moves
            .iter()
            .map(|each| each.amount)
            .fold(0, i64::saturating_add)
    }

    /// Account and amount of each entry; the amounts add up to nothing.
    pub(crate) fn entries(&self) -> [(String, i64); 2] {
        let change = self.change();
        [
            (format!("user:{}:available", self.user), change),
            (self.kind.counterpart().to_owned(), change.saturating_neg()),
        ]
    }
}

/// Who did it, for the books.
pub(crate) fn actor(ctx: &Ctx) -> String {
    match ctx.actor {
        Actor::User { id, .. } => format!("user:{id}"),
        Actor::ApiKey { id } => format!("api_key:{id}"),
        Actor::System(part) => format!("system:{part}"),
        Actor::Anonymous => "anonymous".to_owned(),
    }
}

/// Tells requests under one key apart: SHA-256 of the parts, each after its length.
pub(crate) fn request_hash(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
