//! What the ledger writes down.

use crate::ledger::allocation::LotMove;
use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use eyemotion_core::{Actor, Ctx, UserId};
use eyemotion_ports::Priced;
use serde_json::Value;
use uuid::Uuid;

/// What sort of transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TxnKind {
    Grant,
    Spend,
    Hold,
    Capture,
    Release,
    Expire,
    /// A reversed payment takes back what it gave.
    Clawback,
    /// A payment that was not reversed after all gives it again.
    Reinstate,
    /// Credits that came back pay what is owed.
    Adjust,
}

impl TxnKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Spend => "spend",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Clawback => "clawback",
            Self::Reinstate => "reinstate",
            Self::Adjust => "adjust",
        }
    }

    /// The account on the other side of what the person gets or gives; in a transaction between
    /// the person's own accounts nothing is left for it.
    const fn counterpart(self) -> &'static str {
        match self {
            Self::Grant | Self::Hold | Self::Release | Self::Adjust => "system:issued",
            Self::Spend | Self::Capture => "system:consumed",
            Self::Expire => "system:expired",
            Self::Clawback | Self::Reinstate => "system:revoked",
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
    pub price: Option<Priced>,
    pub details: Value,
    pub at: DateTime<Utc>,
    pub moves: Vec<LotMove>,
    /// By how much more the person owes.
    pub debt: i64,
}

impl Posting {
    /// By how much the wallet changes.
    pub(crate) fn change(&self) -> i64 {
        sum(self.moves.iter().map(|each| each.amount))
    }

    /// By how much more of the wallet is held.
    pub(crate) fn held(&self) -> i64 {
        sum(self.moves.iter().map(|each| each.held))
    }

    /// By how much more of the wallet is frozen: what is held of a frozen lot counts as held.
    pub(crate) fn frozen(&self) -> i64 {
        let frozen = self.moves.iter().filter(|each| each.is_frozen);
        sum(frozen.map(|each| each.amount.saturating_sub(each.held)))
    }

    /// Account and amount of each entry; the amounts add up to nothing.
    pub(crate) fn entries(&self) -> Vec<(String, i64)> {
        let (change, held) = (self.change(), self.held());
        let own = [
            (
                format!("user:{}:available", self.user),
                change.saturating_sub(held),
            ),
            (format!("user:{}:held", self.user), held),
            ("system:debt".to_owned(), self.debt.saturating_neg()),
        ];
        let rest = change.saturating_sub(self.debt).saturating_neg();
        let mut entries: Vec<_> = own.into();
        entries.push((self.kind.counterpart().to_owned(), rest));
        entries.retain(|(_, amount)| *amount != 0);
        entries
    }
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
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
