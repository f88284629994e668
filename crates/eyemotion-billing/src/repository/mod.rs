//! SQL and nothing else, one file for each table or view.

pub(crate) mod analytics;
pub(crate) mod analytics_days;
pub(crate) mod billed_subscriptions;
pub(crate) mod cohorts;
pub(crate) mod customer_copies;
pub(crate) mod disputes;
pub(crate) mod events;
pub(crate) mod holds;
pub(crate) mod leavers;
pub(crate) mod lots;
pub(crate) mod order_outcomes;
pub(crate) mod orders;
pub(crate) mod paid_subscriptions;
pub(crate) mod payments;
pub(crate) mod plans;
pub(crate) mod prices;
pub(crate) mod reconcilable;
pub(crate) mod snapshots;
pub(crate) mod subscriptions;
pub(crate) mod transactions;
pub(crate) mod txns;
pub(crate) mod usage;
pub(crate) mod wallets;
pub(crate) mod warnings;

use eyemotion_db::DbError;
use std::error::Error;
use std::str::FromStr;

/// Reads a name that a constraint keeps to the known ones.
pub(crate) fn name<T: FromStr<Err: Error + Send + Sync + 'static>>(
    text: &str,
) -> Result<T, DbError> {
    text.parse()
        .map_err(|error: T::Err| DbError::Other(error.into()))
}
