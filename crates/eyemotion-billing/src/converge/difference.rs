//! What a convergence changed: the drift of our rows from Stripe's.

use crate::repository::snapshots;
use eyemotion_core::UserId;
use eyemotion_db::{DbError, Tx};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A row that was not what it should have been, and is now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Whose row.
    pub user: UserId,
    /// `table/key`.
    pub row: String,
    /// The columns that differed, as they were; none: the row was not there.
    pub before: Option<Map<String, Value>>,
    /// The same columns as they are now.
    pub after: Map<String, Value>,
}

/// All that is kept of a person's payments.
pub(super) struct Snapshot {
    user: UserId,
    rows: BTreeMap<String, Map<String, Value>>,
}

impl Snapshot {
    pub(super) async fn of(tx: &mut Tx, user: UserId) -> Result<Self, DbError> {
        let rows = snapshots::rows(tx, user).await?;
        Ok(Self {
            user,
            rows: rows.into_iter().collect(),
        })
    }

    /// In what `after` is another one.
    pub(super) fn differences(&self, after: &Self) -> Vec<Difference> {
        let changed = after.rows.iter().filter_map(|(row, after)| {
            let before = self.rows.get(row);
            let of = |row: &Map<String, Value>| -> Map<String, Value> {
                let columns = row.iter().filter(|(name, value)| {
                    before.and_then(|before| before.get(*name)) != after.get(*name)
                        && !value.is_null()
                });
                columns
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            };
            (before != Some(after)).then(|| Difference {
                user: self.user,
                row: row.clone(),
                before: before.map(of),
                after: of(after),
            })
        });
        changed.collect()
    }
}
